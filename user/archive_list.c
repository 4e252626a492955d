// SPDX-License-Identifier: BSD-2-Clause
#include "archive_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_dir.h"
#include "nolink.h"
#include "progress.h"

/* ---- one file ---------------------------------------------------------- */

/* Sealing takes ".open" off the name; whoever listed it before looks again. */
static int open_either(const struct archive_file *f)
{
	char other[sizeof(f->name)];
	size_t len = strlen(f->name);
	int fd = nolink_open(f->dir, f->name, O_RDONLY, 0);

	if (fd != -ENOENT || len < 5 || strcmp(f->name + len - 5, ".open"))
		return fd;
	memcpy(other, f->name, len - 5);
	other[len - 5] = '\0';
	return nolink_open(f->dir, other, O_RDONLY, 0);
}

int archive_list_segment(const struct archive_list *l, size_t i,
			 struct segment_reader *ret)
{
	int fd = open_either(&l->file[i]), err;

	if (fd < 0)
		return fd;
	err = segment_open(ret, fd);
	if (err)
		segment_done(ret);
	return err;
}

/* The last frame's copy serves when the first is damaged. */
static int read_head(struct segment_reader *r, struct segment_head *ret)
{
	struct segment_frames s;
	struct buf b = {0};
	size_t i;
	int err;

	err = segment_frames(r, &s);
	if (err)
		return err;
	err = -EBADMSG;
	for (i = 0; i < s.count && err == -EBADMSG; i++) {
		if (s.frame[i].type != FRAME_SEGMENT &&
		    s.frame[i].type != FRAME_TRAILER)
			continue;
		err = segment_read(r, &s.frame[i], &b);
		if (!err && s.frame[i].type == FRAME_SEGMENT)
			err = segment_get_head(&b, ret);
		else if (!err)
			err = segment_get_trailer(&b, ret);
	}
	buf_done(&b);
	segment_frames_done(&s);
	return err;
}

/* The usual case costs two reads. Return: as segment_get_head(). */
static int read_first(struct segment_reader *r, struct segment_head *ret)
{
	struct buf b = {0};
	struct frame f;
	int rc;

	rc = segment_next(r, &f);
	if (rc > 0)
		rc = f.type == FRAME_SEGMENT ? segment_read(r, &f, &b)
					     : -EBADMSG;
	else if (!rc)
		rc = -EBADMSG;
	if (!rc)
		rc = segment_get_head(&b, ret);
	buf_done(&b);
	return rc == -EBADMSG ? read_head(r, ret) : rc;
}

/* Return: 0, head_known or not; -EPROTONOSUPPORT; -ENOMEM; -errno. */
static int learn_head(struct archive_list *l, struct archive_file *f)
{
	struct segment_reader r;
	struct segment_head h;
	int err;

	err = archive_list_segment(l, (size_t)(f - l->file), &r);
	if (err)
		return err == -ENOENT || err == -EBADMSG ? 0 : err;
	progress_expect(r.size);
	err = read_first(&r, &h);
	segment_done(&r);
	if (!err) {
		f->head = h;
		f->head_known = true;
	}
	return err == -EBADMSG ? 0 : err;
}

/* ---- the list ---------------------------------------------------------- */

static int add_file(struct archive_list *l, const struct archive_file *f)
{
	struct archive_file *grown;

	/* grows at powers of two */
	if (!(l->count & (l->count - 1))) {
		grown = reallocarray(l->file, l->count ? l->count * 2 : 1,
				     sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->file = grown;
	}
	l->file[l->count++] = *f;
	return 0;
}

struct listing {
	struct archive_list *list;
	const char *path;
	int dir;
	uint64_t after;	      /* none up to this one, */
	uint64_t last_number; /* none after this one */
};

static int add_name(void *arg, const char *name)
{
	struct listing *in = arg;
	struct archive_file f = {
		.path = in->path,
		.whole_dir = true,
		.dir = in->dir,
	};

	if (!segment_parse_name(name, &f.head, &f.sealed) ||
	    f.head.number <= in->after || f.head.number > in->last_number)
		return 0;
	snprintf(f.name, sizeof(f.name), "%s", name);
	return add_file(in->list, &f);
}

static int add_single(struct archive_list *l, const char *path, int dir,
		      const char *name)
{
	struct archive_file f = {.path = path, .dir = dir};
	int err;

	if (strlen(name) >= sizeof(f.name))
		return -ENAMETOOLONG;
	strcpy(f.name, name);
	segment_parse_name(name, &f.head, &f.sealed);
	err = add_file(l, &f);
	if (err)
		return err;
	err = learn_head(l, &l->file[l->count - 1]);
	if (!err && !l->file[l->count - 1].head_known && !f.head.number)
		err = -EBADMSG;
	return err;
}

static int by_number(const void *a, const void *b)
{
	const struct archive_file *x = a, *y = b;

	if (x->head.number != y->head.number)
		return x->head.number < y->head.number ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A segment whose head cannot be read belongs with the one before it. */
static void guess_heads(struct archive_file *f, size_t count)
{
	const struct archive_file *known = NULL;
	size_t i;

	for (i = 0; i < count && !known; i++)
		known = f[i].head_known ? &f[i] : NULL;
	for (i = 0; i < count; i++) {
		if (f[i].head_known) {
			known = &f[i];
			continue;
		}
		f[i].head.run_realtime = f[i].head.realtime;
		if (!known)
			continue;
		f[i].head.run = known->head.run;
		f[i].head.run_realtime = known->head.run_realtime;
	}
}

static bool is_twin(const struct archive_file *a, const struct archive_file *b)
{
	return !strncmp(a->name, b->name, strcspn(b->name, "."));
}

/* Several looks show a segment several times, perhaps under both names. */
static void drop_twins(struct archive_list *l, size_t first)
{
	size_t i, to = first;

	for (i = first; i < l->count; i++)
		if (to == first || !is_twin(&l->file[to - 1], &l->file[i]))
			l->file[to++] = l->file[i];
	l->count = to;
}

static uint64_t highest_number(const struct archive_list *l, size_t first)
{
	uint64_t number = 0;

	for (; first < l->count; first++)
		if (l->file[first].head.number > number)
			number = l->file[first].head.number;
	return number;
}

static int look_twice(struct listing *in)
{
	int err = archive_dir_each(in->dir, add_name, in);

	return err ? err : archive_dir_each(in->dir, add_name, in);
}

/*
 * While a recorder is at work, a segment that is renamed as the directory is
 * read, by sealing, may be seen under either name, both, or none. As each is
 * renamed once, two looks see all that were there before the first. So two
 * find out which is the last one, and two more all that were made before it;
 * later ones are left for another time.
 */
static int look(struct listing *in, size_t first)
{
	int err;

	in->last_number = UINT64_MAX;
	if (!archive_dir_is_locked(in->dir))
		return archive_dir_each(in->dir, add_name, in);
	err = look_twice(in);
	in->last_number = highest_number(in->list, first);
	return err ? err : look_twice(in);
}

static int list_dir(struct listing *in)
{
	struct archive_list *l = in->list;
	size_t first = l->count;
	int err = look(in, first);

	if (err)
		return err;
	if (l->count > first)
		qsort(l->file + first, l->count - first, sizeof(*l->file),
		      by_number);
	drop_twins(l, first);
	return 0;
}

static int add_dir(struct archive_list *l, const char *path, int dir)
{
	struct listing in = {.list = l, .path = path, .dir = dir};
	size_t i, first = l->count;
	int err;

	err = list_dir(&in);
	if (!err && l->count == first)
		err = -EBADMSG;
	for (i = first; i < l->count && !err; i++)
		err = learn_head(l, &l->file[i]);
	if (!err)
		guess_heads(l->file + first, l->count - first);
	return err;
}

static int add_path(struct archive_list *l, const char *path)
{
	const char *name;
	struct stat st;
	char *copy;
	int fd, err;

	if (stat(path, &st))
		return -errno;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	name = copy;
	if (S_ISDIR(st.st_mode)) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = archive_dir_split(copy, &name);
	}
	if (fd >= 0)
		l->dirs[l->dir_count++] = fd;
	if (fd < 0)
		err = fd;
	else if (S_ISDIR(st.st_mode))
		err = add_dir(l, path, fd);
	else
		err = add_single(l, path, fd, name);
	free(copy);
	return err;
}

static int by_time(const void *a, const void *b)
{
	const struct archive_file *x = a, *y = b;
	const struct segment_head *p = &x->head, *q = &y->head;

	if (p->run_realtime != q->run_realtime)
		return p->run_realtime < q->run_realtime ? -1 : 1;
	if (p->run != q->run)
		return p->run < q->run ? -1 : 1;
	return by_number(a, b);
}

/* The same segment given twice (its directory and itself) is read once. */
static void drop_doubles(struct archive_list *l)
{
	size_t i, to = 0;

	for (i = 0; i < l->count; i++)
		if (!to || !l->file[i].head_known ||
		    l->file[to - 1].head.run != l->file[i].head.run ||
		    l->file[to - 1].head.number != l->file[i].head.number)
			l->file[to++] = l->file[i];
	l->count = to;
}

int archive_list_open(struct archive_list *ret, char *const *paths,
		      unsigned count, const char **why)
{
	struct archive_list l = {0};
	int err = count ? 0 : -ENOENT;
	unsigned i;

	*why = NULL;
	l.dirs = calloc(count + 1, sizeof(*l.dirs));
	if (!l.dirs)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		err = add_path(&l, paths[i]);
		if (err)
			*why = paths[i];
	}
	if (err) {
		archive_list_done(&l);
		return err;
	}
	qsort(l.file, l.count, sizeof(*l.file), by_time);
	drop_doubles(&l);
	*ret = l;
	return 0;
}

int archive_list_more(struct archive_list *l)
{
	const struct archive_file *last = &l->file[l->count - 1];
	struct listing in = {
		.list = l,
		.path = last->path,
		.dir = last->dir,
		.after = last->head.number,
	};
	size_t i, first = l->count, known = first;
	int err = list_dir(&in);

	for (i = first; i < l->count && !err; i++)
		err = learn_head(l, &l->file[i]);
	while (!err && known < l->count && l->file[known].head_known &&
	       archive_list_same_run(l, known))
		known++;
	l->count = known;
	return err ? err : (int)(known - first);
}

void archive_list_done(struct archive_list *l)
{
	unsigned i;

	for (i = 0; i < l->dir_count; i++)
		close(l->dirs[i]);
	free(l->dirs);
	free(l->file);
	*l = (struct archive_list){0};
}

/* Only the newest segment of a directory can be. */
bool archive_list_is_live(const struct archive_list *l, size_t i)
{
	const struct archive_file *f = &l->file[i];
	size_t j;

	for (j = 0; j < l->count; j++)
		if (l->file[j].dir == f->dir &&
		    l->file[j].head.number > f->head.number)
			return false;
	return archive_dir_is_locked(f->dir);
}

bool archive_list_same_run(const struct archive_list *l, size_t i)
{
	return i && l->file[i].head.run == l->file[i - 1].head.run;
}
