// SPDX-License-Identifier: BSD-2-Clause
#include "cmd_pin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_capture.h"
#include "crc32c.h"
#include "segment.h"

/* ---- what it is of --------------------------------------------------------
 */

static void put_list(struct buf *to, const struct opt_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		buf_printf(to, "%s%s", i ? "," : "", l->items[i]);
	buf_putc(to, '\0');
}

static void put_name(struct buf *to, const char *name)
{
	buf_put(to, name, strlen(name) + 1);
}

/* Of the programs: another weir with the same ones may take over. */
static void put_build(struct buf *to)
{
	const struct embedded *e;
	uint32_t crc = 0;

	for (e = weir_embedded; e->name; e++)
		crc = crc32c(crc, e->data, e->size);
	put_name(to, "programs");
	buf_printf(to, "%08" PRIx32, crc);
	buf_putc(to, '\0');
}

/* What must be the same for whoever takes over; the option's name and value. */
static void put_options(struct buf *to, const struct capture_args *a)
{
	put_name(to, "-s");
	put_list(to, &a->query.sources);
	put_name(to, "-e");
	put_list(to, &a->query.kinds);
	put_name(to, "-f");
	put_name(to, a->query.filter ? a->query.filter : "");
	put_name(to, "--set");
	put_list(to, &a->settings);
	put_name(to, "-p");
	put_list(to, &a->trees);
	put_name(to, "--cgroup");
	put_list(to, &a->cgroups);
	put_name(to, "--snapshot-on");
	put_list(to, &a->triggers);
	put_name(to, "--budget");
	put_name(to, a->budget ? "set" : "");
	put_name(to, "--buffer");
	buf_printf(to, "%" PRIu64, a->ring_bytes);
	buf_putc(to, '\0');
}

struct comparison {
	const struct buf *pinned;
	const char *name, *was, *is; /* what differs; or NULL */
};

static void compare(void *arg, const char *name, const char *value)
{
	struct comparison *c = arg;
	const char *was = segment_get_meta(c->pinned, name);

	was = was ? was : "";
	if (c->name || !strcmp(was, value))
		return;
	c->name = name;
	c->was = was;
	c->is = value;
}

static int differs(const struct pinning *p, const struct comparison *c)
{
	if (!strcmp(c->name, "programs"))
		return fail("pin '%s': another build of weir pinned it (run "
			    "that one, or end it: weir unpin %s)",
			    p->pin.name, p->pin.name);
	return fail("pin '%s': it was pinned with %s '%s', not '%s' (take "
		    "the same, or end it: weir unpin %s)",
		    p->pin.name, c->name, c->was, c->is, p->pin.name);
}

static int check_options(const struct pinning *p, const struct capture_args *a)
{
	struct comparison c = {.pinned = &p->meta};
	struct buf mine = {0};
	int rc = EXIT_OK;

	put_build(&mine);
	put_options(&mine, a);
	if (buf_err(&mine))
		rc = fail("out of memory");
	else
		segment_each_meta(&mine, compare, &c);
	if (c.name)
		rc = differs(p, &c);
	buf_done(&mine);
	return rc;
}

/* ---- opening --------------------------------------------------------------
 */

static int open_failed(const char *name, int err)
{
	char above[PIN_ROOT_MAX];

	pin_above(above);
	switch (err) {
	case -EINVAL:
		return usage("'%.60s' cannot be pinned: a name has at most %d "
			     "of A-Z a-z 0-9 _ -",
			     name, PIN_NAME_MAX);
	case -EBUSY:
		return fail("pin '%s': a recorder has it (weir status)", name);
	case -ENOENT:
		return fail("nothing is pinned as '%s' (weir status)", name);
	case -ENODEV:
		return fail(
			"nothing can be pinned: there is no bpffs at %s (mount -t bpf bpf "
			"%s)",
			PIN_BPFFS, PIN_BPFFS);
	case -EPERM:
	case -ELOOP:
	case -ENOTDIR:
		return fail("pin '%s': %s/%s, or what is in it, is not a "
			    "directory of this user alone: somebody else made "
			    "it",
			    name, PIN_BPFFS, above);
	}
	return fail("pin '%s': %s/%s: %s", name, PIN_BPFFS, above,
		    strerror(-err));
}

static int begin(struct pinning *p, const struct capture_args *a)
{
	/* Somebody died who had just begun. */
	int n = sources_remove_pinned(&p->pin);

	if (n < 0)
		return fail("pin '%s': what is there cannot be removed: %s",
			    p->pin.name, strerror(-n));
	if (getrandom(&p->run, sizeof(p->run), 0) < 0)
		p->run = clock_now();
	p->run_realtime = clock_read(CLOCK_REALTIME);
	p->fresh = true;
	put_build(&p->meta);
	put_options(&p->meta, a);
	put_name(&p->meta, "run");
	buf_printf(&p->meta, "%016" PRIx64 " %" PRIu64, p->run,
		   p->run_realtime);
	buf_putc(&p->meta, '\0');
	return buf_err(&p->meta) ? fail("out of memory") : EXIT_OK;
}

static int read_meta(struct pinning *p, const void *meta, size_t len)
{
	const char *run;

	buf_put(&p->meta, meta, len);
	if (buf_err(&p->meta))
		return fail("out of memory");
	run = segment_get_meta(&p->meta, "run");
	p->archive = segment_get_meta(&p->meta, "archive");
	if (p->archive && run &&
	    sscanf(run, "%" SCNx64 " %" SCNu64, &p->run, &p->run_realtime) == 2)
		return EXIT_OK;
	return fail("pin '%s': another weir made it (weir unpin %s ends it)",
		    p->pin.name, p->pin.name);
}

static int read_pinned(struct pinning *p)
{
	void *meta;
	size_t len;
	int rc, err = sources_pinned(&p->pin, &meta, &len);

	if (err == -ENOENT)
		return EXIT_OK;
	if (err)
		return fail("pin '%s': %s", p->pin.name, strerror(-err));
	p->takes = true;
	rc = read_meta(p, meta, len);
	free(meta);
	return rc;
}

static int find(struct pinning *p, const char *name, bool make)
{
	int err = pin_open(&p->pin, name, make);

	return err ? open_failed(name, err) : read_pinned(p);
}

int pinning_find(struct pinning *p, const char *name)
{
	return find(p, name, false);
}

int pinning_may(const struct capture_args *args, char *const *command)
{
	if (args->pin && command)
		return usage("record: --pin is for the host, not for a "
			     "COMMAND, which ends when weir does");
	return EXIT_OK;
}

/* Its recorder was killed as it ended: nothing is recorded there any more. */
static void end_ended(struct pinning *p)
{
	struct pinning_left left;
	struct buf b = {0};

	pinning_abandon(p, &left);
	pinning_left_text(&left, &b);
	say("'%s' was being ended when its recorder was killed: %.*s; it "
	    "begins anew",
	    p->pin.name, (int)b.len, b.len ? b.data : "");
	buf_done(&b);
	p->ended = p->meta;
	p->ended_archive = p->archive;
	p->meta = (struct buf){0};
	p->archive = NULL;
	p->takes = false;
}

int pinning_open(struct pinning *p, const struct capture_args *a)
{
	int rc;

	if (!a->pin || a->explain)
		return EXIT_OK;
	rc = find(p, a->pin, true);
	if (rc)
		return rc;
	if (p->takes && sources_pinned_ended(&p->pin))
		end_ended(p);
	return p->takes ? check_options(p, a) : begin(p, a);
}

static bool is_same_dir(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int pinning_check(struct pinning *p, const char *output, const char *path)
{
	if (p->pin.fd >= 0 && !p->takes && !path)
		return usage("record: --pin needs an archive, which is there "
			     "when weir is not (-o ARCHIVE)");
	p->appends = p->takes || (p->ended_archive && path &&
				  is_same_dir(path, p->ended_archive));
	if (p->takes && access(p->archive, F_OK))
		return fail("pin '%s': its archive '%s' is not there (weir "
			    "unpin %s ends it)",
			    p->pin.name, p->archive, p->pin.name);
	if (!p->takes || !output || is_same_dir(output, p->archive))
		return EXIT_OK;
	return fail("pin '%s' records into '%s', not '%s' (weir unpin %s ends "
		    "it)",
		    p->pin.name, p->archive, output, p->pin.name);
}

void pinning_note_archive(struct pinning *p, int dir)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	if (p->pin.fd < 0 || p->takes)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	put_name(&p->meta, "archive");
	put_name(&p->meta, path);
}

/* ---- taking over ----------------------------------------------------------
 */

int pinning_resume(struct pinning *p, struct recorder *r, int dir)
{
	struct archive_resume from = {0};
	int rc;

	if (!p->takes)
		return EXIT_OK;
	rc = archive_resume_find(dir, p->run, &from);
	p->died_ns = from.at_ns;
	if (rc >= 0)
		rc = recorder_resume(r, rc ? &from : NULL, dir);
	archive_resume_done(&from);
	if (!rc)
		return EXIT_OK;
	return fail(
		"pin '%s': the end of '%s' cannot be gone on from: %s (weir "
		"unpin %s ends it)",
		p->pin.name, p->archive, strerror(-rc), p->pin.name);
}

void pinning_say(const struct pinning *p, uint64_t now)
{
	struct buf b = {0};

	if (!p->takes)
		return;
	if (p->died_ns) {
		buf_puts(&b, ", of the last ");
		render_ns(&b, now - p->died_ns);
	}
	say("goes on with what '%s' has recorded, and nobody has written%.*s",
	    p->pin.name, (int)b.len, b.len ? b.data : "");
	buf_done(&b);
}

/* ---- pinning, and the end -------------------------------------------------
 */

int pinning_pin(struct pinning *p, struct recorder *r)
{
	if (p->pin.fd < 0 || p->takes)
		return 0;
	if (buf_err(&p->meta))
		return -ENOMEM;
	return recorder_pin(r, p->meta.data, p->meta.len);
}

static void say_left(const struct pinning *p, int err)
{
	say("'%s' is still pinned: %s (weir unpin %s removes it)", p->pin.name,
	    strerror(-err), p->pin.name);
}

void pinning_stop(struct pinning *p, struct errand *e)
{
	int err;

	if (p->pin.fd < 0)
		return;
	err = e ? errand_unpin(e, true) : pin_remove(&p->pin, PIN_LINK);
	if (err < 0)
		say_left(p, err);
}

void pinning_end(struct pinning *p, struct errand *e)
{
	int err;

	if (p->pin.fd < 0)
		return;
	err = e ? errand_unpin(e, false) : pin_remove(&p->pin, 0);
	if (!e && err >= 0)
		err = pin_remove_dir(&p->pin);
	if (err < 0)
		say_left(p, err);
}

void pinning_done(struct pinning *p)
{
	pin_close(&p->pin);
	buf_done(&p->meta);
	buf_done(&p->ended);
}

/* ---- what is left ---------------------------------------------------------
 */

/* How far it came. Return: 1 with @at; 0 nothing is written; -errno. */
static int read_archive(const struct pinning *p, struct archive_resume *from,
			struct resume *at)
{
	int dir = open(p->archive, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (dir < 0)
		return -errno;
	rc = archive_resume_find(dir, p->run, from);
	close(dir);
	if (rc > 0)
		rc = resume_parse(at, from->data.data, from->data.len);
	return rc || !from->data.len ? rc : 1;
}

void pinning_abandon(const struct pinning *p, struct pinning_left *ret)
{
	struct archive_resume from = {0};
	struct resume at = {0};
	int came = p->takes ? read_archive(p, &from, &at) : 0;

	ret->unread = 0;
	ret->err = sources_unpin(&p->pin, came > 0 ? &at : NULL, &ret->unread);
	ret->known = came >= 0;
	if (from.ended)
		ret->unread = 0;
	resume_done(&at);
	archive_resume_done(&from);
}

void pinning_left_text(const struct pinning_left *l, struct buf *to)
{
	if (l->err)
		buf_printf(to, "what is in its buffers cannot be counted: %s",
			   strerror(-l->err));
	else if (l->known)
		buf_printf(to,
			   "%" PRIu64 " events in its buffers are in no "
			   "archive",
			   l->unread);
	else
		buf_printf(to,
			   "of %" PRIu64 " events in its buffers it is not "
			   "known which are in an archive",
			   l->unread);
}

/* ---- telling of them ------------------------------------------------------
 */

static void say_one(void *arg, const char *name)
{
	(void)arg;
	if (!pin_is_held(name))
		say("'%s' is pinned, and nobody takes what it records (weir "
		    "record --pin %s goes on, weir unpin %s ends it)",
		    name, name, name);
}

void pins_say(void)
{
	pin_each(say_one, NULL);
}
