// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_unpin.c - `weir unpin`: end what a recorder that was killed left pinned.
 */
#include <string.h>

#include "cmd.h"
#include "cmd_pin.h"

struct unpin_args {
	bool quiet;
};

static const struct opt opts[] = {
	{
		.letter = 'q',
		.name = "quiet",
		.type = OPT_FLAG,
		.offset = offsetof(struct unpin_args, quiet),
		.help = "say nothing but errors and losses",
	},
	{0},
};

/* Return: EXIT_OK; EXIT_LOSSES: some events are gone with it. */
static int tell(const struct pinning *p, int files,
		const struct pinning_left *left, bool quiet)
{
	struct buf out = {0};
	int rc;

	if (quiet && !left->unread)
		return EXIT_OK;
	buf_printf(&out, "%s: %d pinned programs, links and maps removed\n",
		   p->pin.name, files);
	if (left->unread) {
		buf_printf(&out, "%s: ", p->pin.name);
		pinning_left_text(left, &out);
		buf_putc(&out, '\n');
	}
	rc = put_stdout(&out);
	return rc == EXIT_OK && left->unread ? EXIT_LOSSES : rc;
}

static int end(const struct pinning *p, bool quiet)
{
	struct pinning_left left;
	int files, err;

	pinning_abandon(p, &left);
	if (left.err)
		say("%s: what is in its buffers cannot be counted: %s",
		    p->pin.name, strerror(-left.err));
	files = sources_remove_pinned(&p->pin);
	err = files < 0 ? files : pin_remove_dir(&p->pin);
	if (err)
		return fail("%s: %s", p->pin.name, strerror(-err));
	return tell(p, files, &left, quiet);
}

static int unpin(const void *arg, const struct opt_words *words)
{
	const struct unpin_args *args = arg;
	struct pinning p = {.pin = PIN_NONE};
	int rc;

	rc = pinning_find(&p, words->word[0]);
	if (rc == EXIT_OK || p.pin.fd >= 0)
		rc = end(&p, args->quiet);
	pinning_done(&p);
	return rc;
}

const struct command cmd_unpin = {
	.name = "unpin",
	.synopsis = "NAME",
	.help = "end what weir record --pin NAME left behind when it was killed",
	.about = "Programs, links and buffers are taken out of the kernel. "
		 "What was in these and\n"
		 "in no archive is told, and lost: to have it, take over first "
		 "(weir record --pin\n"
		 "NAME) and end that. Exit status: 0 done, 3 done and events "
		 "were lost, 1 failed.\n"
		 "weir status tells which NAMEs there are.\n",
	.opts = {opts},
	.args_size = sizeof(struct unpin_args),
	.min_words = 1,
	.max_words = 1,
	.run = unpin,
};
