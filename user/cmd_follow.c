// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_follow.c - weir show --follow; see cmd_follow.h.
 */
#include "cmd_follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_dir.h"

#define LOOK_MS	   150 /* between two looks at what was written */
#define BEGIN_MS   100 /* and at what has not begun */
#define BEGIN_LOOK 100 /* of the latter at most */

/* ---- before -------------------------------------------------------------- */

static int is_content(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "LOCK") != 0;
}

/*
 * Has a recorder made the directory, or does it have it, with nothing to be
 * read in it yet?
 */
static bool is_beginning(char *path, int dir)
{
	struct archive *a;
	const char *why;
	int err;

	if (!archive_dir_is_locked(dir) &&
	    archive_dir_each(dir, is_content, NULL))
		return false;
	err = archive_open(&a, &path, 1, &why);
	if (!err)
		archive_free(a);
	return err == -EBADMSG;
}

int follow_check(const struct query_args *args, const struct opt_words *words)
{
	char *path = words->word[0];
	int dir, i;

	if (words->count > 1)
		return usage("show: --follow follows one archive");
	if (args->to)
		return usage("show: --follow has no end, --to is one (leave "
			     "one of them out)");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOTDIR)
		return usage("show: '%s' is a segment; --follow follows its "
			     "directory",
			     path);
	if (dir < 0)
		return say_open_failed(-errno, path);
	for (i = 0; i < BEGIN_LOOK && is_beginning(path, dir); i++)
		poll(NULL, 0, BEGIN_MS);
	close(dir);
	return EXIT_OK;
}

/* ---- the pass ------------------------------------------------------------ */

/* A sink between the pass and the one that prints. */
struct follower {
	struct sink sink;
	struct sink *to;
	const struct replay *replay;
	int signals; /* descriptor */
	int err;     /* why to stop, or 0 */
};

static struct follower *of(struct sink *s)
{
	return (struct follower *)s;
}

/* Wait so long for a reason to stop. Return: 0; -ECANCELED; -EPIPE. */
static int pause_ms(struct follower *f, int ms)
{
	struct pollfd fds[2] = {
		{.fd = f->signals, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* POLLERR: nobody reads it */
	};

	if (poll(fds, 2, ms) > 0)
		f->err = fds[0].revents ? -ECANCELED : -EPIPE;
	return f->err;
}

static int on_event(struct sink *s, const struct event *ev)
{
	struct follower *f = of(s);
	int err = f->to->ops->event(f->to, ev);

	if (!err && f->replay->over_ns)
		err = f->err = -ECANCELED; /* those are all that was asked */
	return err;
}

static int on_tick(struct sink *s, uint64_t mono_ns)
{
	int err = of(s)->to->ops->tick(of(s)->to, mono_ns);

	return err ? err : pause_ms(of(s), 0);
}

static const struct sink_ops ops = {
	.name = "follow",
	.event = on_event,
	.tick = on_tick,
};

/* All there was is handed over. */
static int wait(void *arg)
{
	struct follower *f = arg;

	f->err = f->to->ops->tick(f->to, 0);
	return f->err ? f->err : pause_ms(f, LOOK_MS);
}

static void say_end(const struct archive_follow *follow)
{
	if (follow->skipped)
		say("%llu segments were removed before they could be read "
		    "(--keep, --keep-for)",
		    (unsigned long long)follow->skipped);
	if (follow->end == FOLLOW_ENDED)
		say("the recorder has ended");
	if (follow->end == FOLLOW_CUT)
		say("nobody records any more, and the recorder never said that "
		    "it ended (weir verify tells what is there)");
}

int follow_sink(struct replay *r, struct sink *sink, uint64_t *ret_skipped)
{
	struct follower f = {.sink = {.ops = &ops}, .to = sink, .replay = r};
	struct archive_follow follow = {.wait = wait, .arg = &f};
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	f.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (f.signals < 0)
		return -errno;
	archive_follow(r->archive, &follow);
	err = replay_sink(r, &f.sink);
	archive_follow(r->archive, NULL);
	close(f.signals);
	err = f.err && (!err || err == f.err) ? f.err : err;
	if (!err || err == -EBADMSG)
		say_end(&follow);
	*ret_skipped = follow.skipped;
	return err == -ECANCELED ? 0 : err;
}
