// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_snapshot.c - `weir snapshot`: have a running recorder write its window.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd_ask.h"
#include "keep.h"

struct snapshot_args {
	struct ask_args ask;
	const char *output;
	uint64_t after_ns;
};

static const struct opt opts[] = {
	{
		.letter = 'o',
		.name = "output",
		.type = OPT_STRING,
		.complete = OPT_FILE,
		.arg = "ARCHIVE",
		.offset = offsetof(struct snapshot_args, output),
		.help = "directory to make of it (snapshot-<UTC "
			"time>-<number>, where the recorder's --snapshot-dir "
			"says)",
	},
	{
		.name = "after",
		.type = OPT_DURATION,
		.arg = "TIME",
		.offset = offsetof(struct snapshot_args, after_ns),
		.help = "with what comes in the next TIME: 5s",
	},
	{0},
};

/* Under the name that was asked for, and of who asked. */
static int take_over(void *arg, const char *made)
{
	const char *to = arg;
	int err = keep_move(made, to), fd;

	if (err)
		return fail("it cannot be moved to '%s': %s; it stays in %s",
			    to, strerror(-err), made);
	fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return EXIT_OK;
	keep_give(fd);
	close(fd);
	return EXIT_OK;
}

/* Absolute, for the recorder to tell of. Return: EXIT_OK; else told why. */
static int name_output(const char *output, char path[PATH_MAX])
{
	char here[PATH_MAX] = "";
	struct stat st;

	if (strchr(output, '\n'))
		return usage("snapshot: no newline in the name of an archive");
	if (output[0] != '/' && !getcwd(here, sizeof(here)))
		return fail("the current directory: %s", strerror(errno));
	if (snprintf(path, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "",
		     output) >= PATH_MAX)
		return fail("'%.60s...': %s", output, strerror(ENAMETOOLONG));
	if (!lstat(path, &st))
		return fail("'%s' is there already (name another with -o)",
			    output);
	return EXIT_OK;
}

static int snapshot(const void *arg, const struct opt_words *words)
{
	const struct snapshot_args *args = arg;
	char path[PATH_MAX] = "-";
	struct buf line = {0};
	int rc = args->output ? name_output(args->output, path) : EXIT_OK;

	(void)words;
	if (rc)
		return rc;
	buf_printf(&line, "snapshot %s %llu %s",
		   args->ask.json ? "json" : "text",
		   (unsigned long long)args->after_ns, path);
	buf_putc(&line, '\0');
	if (buf_err(&line))
		return fail("out of memory");
	rc = ask_recorder(args->ask.name, line.data,
			  args->output ? take_over : NULL, path);
	buf_done(&line);
	return rc;
}

const struct command cmd_snapshot = {
	.name = "snapshot",
	.synopsis = "",
	.help = "write the window of a running recorder as an archive",
	.about = "The recorder is one that weir record --window started; it "
		 "goes on recording.\n"
		 "weir snapshot ends when the archive is on disk and tells "
		 "what it covers. Exit\n"
		 "status: 0 done, 3 events in it were lost or it ends early, "
		 "1 failed.\n",
	.opts = {opts, opts_ask},
	.args_size = sizeof(struct snapshot_args),
	.run = snapshot,
};
