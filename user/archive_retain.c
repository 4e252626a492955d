// SPDX-License-Identifier: BSD-2-Clause
#include "archive_retain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_dir.h"
#include "clock.h"
#include "segment.h"

#define DISK_SECTOR 512 /* bytes: unit of st_blocks, stat(2) */
#define LOOKS_MAX   4	/* at a directory in which names change */

struct retained {
	char name[SEGMENT_NAME_MAX];
	uint64_t number;
	uint64_t seen_ns; /* CLOCK_BOOTTIME of the first look at it */
	uint64_t age_ns;  /* and its age then */
	uint64_t bytes;
	bool may_go;
};

/* What a walk over the directory collects. */
struct stock {
	const struct archive_retain *r;
	int dirfd;
	uint64_t below;
	struct retained *file;
	size_t count, cap;
};

/* ---- looking ------------------------------------------------------------ */

static int make_place(struct stock *s)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	struct retained *file;

	if (s->count < s->cap)
		return 0;
	file = reallocarray(s->file, cap, sizeof(*file));
	if (!file)
		return -ENOMEM;
	s->file = file;
	s->cap = cap;
	return 0;
}

/* What it takes on disk, were it sparse or allocated ahead. */
static uint64_t size_of(const struct stat *st)
{
	uint64_t blocks = (uint64_t)st->st_blocks * DISK_SECTOR;
	uint64_t bytes = (uint64_t)st->st_size;

	return blocks > bytes ? blocks : bytes;
}

/*
 * The wall clock is asked once: it may be set, by years where a host boots with
 * the wrong time. What was being written at the look before, or was begun
 * since, cannot be older than that.
 */
static void note_age(const struct archive_retain *r, struct retained *f,
		     const struct stat *st)
{
	uint64_t written = (uint64_t)st->st_mtim.tv_sec * NS_PER_S +
			   (uint64_t)st->st_mtim.tv_nsec;
	uint64_t now = clock_read(CLOCK_REALTIME), most;

	f->seen_ns = clock_read(CLOCK_BOOTTIME);
	f->age_ns = now > written ? now - written : 0;
	most = f->seen_ns - r->looked_ns;
	if (r->looked_ns && f->number >= r->below && f->age_ns > most)
		f->age_ns = most;
}

static int note_file(void *arg, const char *name)
{
	struct stock *s = arg;
	struct segment_head h;
	struct retained *f;
	struct stat st;
	bool sealed;

	if (!segment_parse_name(name, &h, &sealed) || h.number >= s->below ||
	    fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return 0;
	if (make_place(s))
		return -ENOMEM;
	f = &s->file[s->count++];
	strncpy(f->name, name, sizeof(f->name) - 1);
	f->name[sizeof(f->name) - 1] = '\0';
	f->number = h.number;
	note_age(s->r, f, &st);
	f->bytes = size_of(&st);
	f->may_go = sealed || h.number <= s->r->dead;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct retained *)a)->number;
	uint64_t y = ((const struct retained *)b)->number;

	return x < y ? -1 : x > y;
}

static bool is_twin(const struct retained *a, const struct retained *b)
{
	return !strncmp(a->name, b->name, strcspn(b->name, "."));
}

/* By both its names: the sealed one is right. */
static void drop_twins(struct stock *s)
{
	size_t i, to = 0;

	for (i = 0; i < s->count; i++)
		if (!to || !is_twin(&s->file[to - 1], &s->file[i]))
			s->file[to++] = s->file[i];
		else if (strlen(s->file[i].name) < strlen(s->file[to - 1].name))
			s->file[to - 1] = s->file[i];
	s->count = to;
}

/*
 * A segment that the sync thread publishes meanwhile may come by both its
 * names, or by neither. Numbers have no gaps, but where somebody has removed a
 * file.
 */
static bool is_gapless(const struct stock *s)
{
	size_t i;

	if (!s->count)
		return s->below <= 1;
	for (i = 0; i < s->count; i++)
		if (s->file[i].number != s->below - s->count + i)
			return false;
	return true;
}

static int take_stock(struct stock *s)
{
	int tries, err = 0;

	for (tries = 0; tries < LOOKS_MAX && !err; tries++) {
		s->count = 0;
		err = archive_dir_each(s->dirfd, note_file, s);
		if (s->count)
			qsort(s->file, s->count, sizeof(*s->file), by_number);
		drop_twins(s);
		if (is_gapless(s))
			break;
	}
	return err;
}

/* Of those that were seen before. */
static void keep_ages(const struct archive_retain *r, struct stock *s)
{
	size_t i, j = r->first;

	for (i = 0; i < s->count; i++) {
		while (j < r->count && r->file[j].number < s->file[i].number)
			j++;
		if (j == r->count || r->file[j].number != s->file[i].number)
			continue;
		s->file[i].seen_ns = r->file[j].seen_ns;
		s->file[i].age_ns = r->file[j].age_ns;
	}
}

int archive_retain_look(struct archive_retain *r, int dirfd, uint64_t below)
{
	struct stock s = {.r = r, .dirfd = dirfd, .below = below};
	size_t i;
	int err;

	if (!archive_retain_limits(r))
		return 0;
	err = take_stock(&s);
	if (err) {
		free(s.file);
		return err;
	}
	keep_ages(r, &s);
	free(r->file);
	r->file = s.file;
	r->count = s.count;
	r->first = 0;
	r->bytes = 0;
	r->dirfd = dirfd;
	r->below = below;
	r->looked_ns = clock_read(CLOCK_BOOTTIME);
	for (i = 0; i < r->count; i++)
		r->bytes += r->file[i].bytes;
	return 0;
}

void archive_retain_done(struct archive_retain *r)
{
	free(r->file);
	r->file = NULL;
	r->first = r->count = 0;
	r->bytes = 0;
}

/* ---- removing ----------------------------------------------------------- */

/* One that cannot be removed stays, and is not tried again until a look. */
bool archive_retain_remove(struct archive_retain *r)
{
	struct retained *f;

	while (r->first < r->count) {
		f = &r->file[r->first];
		if (!f->may_go || (r->kept && f->number >= r->kept))
			return false;
		r->first++;
		if (unlinkat(r->dirfd, f->name, 0) && errno != ENOENT)
			continue;
		r->bytes -= f->bytes;
		r->removed++;
		return true;
	}
	return false;
}

static bool is_too_old(const struct archive_retain *r, uint64_t now)
{
	const struct retained *f = &r->file[r->first];

	return r->max_ns && r->first < r->count &&
	       f->age_ns + (now - f->seen_ns) > r->max_ns;
}

void archive_retain_enforce(struct archive_retain *r, uint64_t open_bytes)
{
	uint64_t now = clock_read(CLOCK_BOOTTIME);

	while (!archive_retain_fits(r, open_bytes) || is_too_old(r, now))
		if (!archive_retain_remove(r))
			return;
}
