// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_tasks.c - `weir tasks`: the tree of processes, and what each one did.
 */
#include <errno.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "table.h"
#include "tally.h"

struct tasks_args {
	struct query_args query;
	const char *at;
	bool all;
};

static const struct opt opts[] = {
	{
		.name = "at",
		.type = OPT_STRING,
		.arg = "TIME",
		.offset = offsetof(struct tasks_args, at),
		.help = "who was alive at TIME, and what they had done by "
			"then: 14:03:20.5, ISO 8601, -5m",
	},
	{
		.letter = 'a',
		.name = "all",
		.type = OPT_FLAG,
		.offset = offsetof(struct tasks_args, all),
		.help = "those that did nothing, too",
	},
	{0},
};

#define DID_KINDS  4  /* named in the table */
#define INDENT_MAX 24 /* deeper ones are not indented further */

static int on_event(void *arg, const struct event *ev)
{
	return tally_event(arg, ev);
}

/* ---- which of them ------------------------------------------------------- */

/*
 * Who did something, and all above, so that the tree hangs together. Alive is
 * who was when @boot, the last one, was left.
 */
static void choose(struct tally *t, bool all, bool alive_only, unsigned boot)
{
	struct process *p;
	size_t i;

	for (i = 0; i < t->count; i++) {
		p = t->list[i];
		if (alive_only && (p->exit_time || p->boot != boot))
			continue;
		if (!all && !p->events)
			continue;
		for (; p && !p->shown; p = p->parent)
			p->shown = true;
	}
}

/* ---- table --------------------------------------------------------------- */

static void put_did(struct buf *b, struct process *p)
{
	unsigned i;

	tally_busiest(p);
	for (i = 0; i < p->count_len && i < DID_KINDS; i++)
		buf_printf(b, "%s%s %llu", i ? ", " : "",
			   p->counts[i].kind->name,
			   (unsigned long long)p->counts[i].events);
	if (p->count_len > DID_KINDS)
		buf_printf(b, ", +%u more", p->count_len - DID_KINDS);
}

/* Of one that is older than the day of the recording the day is enough. */
static void put_started(struct buf *b, const struct render *r,
			const struct process *p, uint64_t today)
{
	uint64_t at = p->start_time + p->shift;

	if (!p->start_time)
		buf_putc(b, '?');
	else if (!r->dated && render_day(r, at) != today)
		render_date(b, r, at);
	else
		render_time(b, r, at);
}

static void put_row(struct table *t, const struct render *r, struct process *p,
		    unsigned depth, uint64_t today)
{
	struct buf b = {0};

	table_cell(t, "%u", p->pid);
	table_cell(t, "%u", p->uid);
	put_started(&b, r, p, today);
	table_buf(t, &b);
	if (!p->exit_time)
		buf_puts(&b, "alive");
	else if (p->start_time)
		render_ns(&b, p->exit_time - p->start_time);
	else
		buf_putc(&b, '?');
	table_buf(t, &b);
	table_cell(t, "%llu", (unsigned long long)p->events);
	table_cell(t, "%*s%s", (int)(depth < INDENT_MAX ? depth : INDENT_MAX),
		   "", p->comm[0] ? p->comm : "?");
	put_did(&b, p);
	table_buf(t, &b);
	buf_done(&b);
}

static void print_table(struct buf *out, const struct render *r,
			struct process *roots, uint64_t last_ns)
{
	static const char *const head[] = {
		"PID", "UID", "STARTED", "LASTED", "EVENTS", "TASK", "DID"};
	struct table t = {.align = "rrlrrll"};
	struct process *p;
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		table_cell(&t, "%s", head[i]);
	for (p = roots; p; p = tally_next(p, &depth))
		if (p->shown)
			put_row(&t, r, p, depth, render_day(r, last_ns));
	table_print(&t, out);
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_instant(struct json *j, const char *name, uint64_t mono,
			int64_t offset)
{
	if (mono)
		json_member_u64(j, name, mono + (uint64_t)offset);
	else
		json_member_str(j, name, NULL);
}

static void put_json(struct json *j, const struct render *r, struct process *p)
{
	int64_t offset = r->wall_offset + (int64_t)p->shift;
	unsigned i;

	json_begin(j, '{');
	json_member_u64(j, "pid", p->pid);
	json_member_u64(j, "ppid", p->ppid);
	json_member_u64(j, "uid", p->uid);
	put_instant(j, "start_time", p->start_time, offset);
	put_instant(j, "exit_time", p->exit_time, offset);
	json_member_str(j, "comm", p->comm);
	json_member_str(j, "exe", p->exe);
	json_member_u64(j, "events", p->events);
	tally_busiest(p);
	json_key(j, "kinds");
	json_begin(j, '{');
	for (i = 0; i < p->count_len; i++)
		json_member_u64(j, p->counts[i].kind->name,
				p->counts[i].events);
	json_end(j, '}');
	json_end(j, '}');
}

static void print_json(struct buf *out, const struct render *r,
		       struct process *roots)
{
	struct json j = {.b = out};
	struct process *p;
	unsigned depth = 0;

	json_begin(&j, '[');
	for (p = roots; p; p = tally_next(p, &depth))
		if (p->shown)
			put_json(&j, r, p);
	json_end(&j, ']');
	json_line(&j);
}

/* -------------------------------------------------------------------------- */

/* An empty table could mean anything. */
static void say_nobody(const struct tally *t, bool at)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->list[i]->shown)
			return;
	say(at ? "nobody who was alive then had done anything that was asked "
		 "for (--all shows who was)"
	       : "nobody did anything that was asked for");
}

static int print(struct replay *r, struct tally *t,
		 const struct tasks_args *args)
{
	struct buf out = {0};
	struct process *roots;

	if (tally_alive(t))
		return fail("out of memory");
	roots = tally_tree(t);
	choose(t, args->all, args->at != NULL, r->render.boot);
	say_nobody(t, args->at != NULL);
	if (args->query.json)
		print_json(&out, &r->render, roots);
	else
		print_table(&out, &r->render, roots, r->info.last_ns);
	return put_stdout(&out);
}

static int tasks(const void *arg, const struct opt_words *words)
{
	const struct tasks_args *args = arg;
	struct query_args query = args->query;
	struct tally t = {0};
	struct replay r;
	int rc, err, end;

	if (args->at && query.to)
		return usage("tasks: --at or --to? (leave one out)");
	if (args->at)
		query.to = args->at;
	rc = query_open(&r, &query, words);
	if (rc)
		return rc;
	err = tally_init(&t, &r.render, r.tasks);
	r.leave_boot = tally_leave;
	r.leave_arg = &t;
	if (!err)
		err = replay_each(&r, on_event, &t);
	if (!err || err == -EBADMSG)
		rc = print(&r, &t, args);
	end = query_end(&r, err);
	tally_done(&t);
	replay_close(&r);
	return rc ? rc : end;
}

const struct command cmd_tasks = {
	.name = "tasks",
	.synopsis = "ARCHIVE...",
	.help = "print the tree of processes and what each one did",
	.about = "Without --at all that lived while recording are shown, the "
		 "dead ones as well;\n"
		 "those that did nothing only where something hangs below "
		 "them. With --from and\n"
		 "--to it is who did something between them. The threads of a "
		 "process are counted\n"
		 "together.\n",
	.opts = {opts, opts_select, opts_span, opts_ahead, opts_json, opts_utc,
		 opts_quiet},
	.args_size = sizeof(struct tasks_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = tasks,
};
