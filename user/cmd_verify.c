// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_verify.c - `weir verify`: every frame and every equation of an archive.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "progress.h"

struct findings {
	struct buf out;
	struct json json;
	bool is_json;
};

static void on_finding(void *arg, const char *line)
{
	struct findings *f = arg;

	if (f->is_json) {
		json_str(&f->json, line);
		return;
	}
	render_escape(&f->out, line, strlen(line));
	buf_putc(&f->out, '\n');
}

static const char *verdict(const struct verify_report *v, int err)
{
	if (err)
		return "damaged";
	return v->lost ? "whole, with losses" : "whole";
}

static void put_json(struct findings *f, const struct verify_report *v, int err)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"frames", v->frames},	   {"blocks", v->blocks},
		{"events", v->events},	   {"bytes", v->bytes},
		{"damaged", v->damaged},   {"torn_bytes", v->torn_bytes},
		{"unsealed", v->unsealed}, {"disorder", v->disorder},
		{"lost", v->lost},	   {"unaccounted", v->unaccounted},
	};
	size_t i;

	json_end(&f->json, ']');
	json_member_str(&f->json, "verdict", verdict(v, err));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_member_u64(&f->json, numbers[i].name, numbers[i].value);
	json_end(&f->json, '}');
	json_line(&f->json);
}

static void put_count(struct buf *b, uint64_t n, const char *what)
{
	if (n)
		buf_printf(b, "  %llu %s\n", (unsigned long long)n, what);
}

static void put_text(struct findings *f, const struct verify_report *v, int err)
{
	struct buf *b = &f->out;

	buf_printf(b, "%s: %llu records in %llu block%s, %llu frames, ",
		   verdict(v, err), (unsigned long long)v->events,
		   (unsigned long long)v->blocks, v->blocks == 1 ? "" : "s",
		   (unsigned long long)v->frames);
	render_bytes(b, v->bytes);
	buf_putc(b, '\n');
	put_count(b, v->damaged, "frames are damaged");
	put_count(b, v->torn_bytes, "bytes at the end were cut off");
	put_count(b, v->unsealed,
		  "segments have no end: in use, or the recorder was killed");
	put_count(b, v->disorder, "events are out of order");
	put_count(b, v->lost, "events were lost while recording");
	put_count(b, v->unaccounted, "rows of the account do not add up");
}

static int verify(const void *arg, const struct opt_words *words)
{
	const struct query_args *args = arg;
	struct findings f = {.is_json = args->json};
	struct verify_report v = {0};
	int err, rc;

	f.json.b = &f.out;
	if (f.is_json) {
		json_begin(&f.json, '{');
		json_key(&f.json, "findings");
		json_begin(&f.json, '[');
	}
	if (!args->quiet)
		progress_start(STDERR_FILENO);
	err = archive_verify(words->word, words->count, &v, on_finding, &f);
	if (err && (err != -EBADMSG || !(v.frames + v.damaged))) {
		buf_done(&f.out);
		return say_open_failed(err, words->word[0]);
	}
	if (f.is_json)
		put_json(&f, &v, err);
	else
		put_text(&f, &v, err);
	rc = put_stdout(&f.out);
	if (rc || err)
		return EXIT_FAILED;
	return v.lost ? EXIT_LOSSES : EXIT_OK;
}

const struct command cmd_verify = {
	.name = "verify",
	.synopsis = "ARCHIVE...",
	.help = "check every part of an archive, and that nothing is missing",
	.about = "Exit status: 0 whole, 3 whole but events were lost while "
		 "recording, 1 damaged.\n",
	.opts = {opts_json, opts_quiet},
	.args_size = sizeof(struct query_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = verify,
};
