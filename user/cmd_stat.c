// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_stat.c - `weir stat`: what is in an archive, and what is not.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "cmd.h"
#include "json.h"
#include "table.h"
#include "tally.h"

#define TOP_TASKS 10

struct stat_pass {
	struct replay r;
	struct tally tally;
	uint64_t counts[SCHEMA_KINDS_MAX];
	uint64_t span_ns;
	const struct account_row *rows;
	size_t row_count;
	struct buf out;
};

static int on_event(void *arg, const struct event *ev)
{
	struct stat_pass *s = arg;

	s->counts[ev->kind->number]++;
	return tally_event(&s->tally, ev);
}

/* The interval that was asked for, as far as the archive has it. */
static uint64_t span_of(const struct replay *r)
{
	uint64_t first = r->info.first_ns, last = r->info.last_ns;

	if (r->from_ns > first)
		first = r->from_ns;
	if (r->to_ns && r->to_ns < last)
		last = r->to_ns;
	return last > first ? last - first : 0;
}

/* ---- the account, a row for each source ---------------------------------- */

/* Sum the rows of the source that begins at @i. Return: where the next does. */
static size_t sum_source(const struct stat_pass *s, size_t i,
			 struct account_row *ret)
{
	size_t j;

	*ret = s->rows[i];
	for (j = i + 1;
	     j < s->row_count && !strcmp(s->rows[j].source, ret->source); j++)
		account_add(ret, &s->rows[j]);
	return j;
}

static uint64_t lost_in_all(const struct stat_pass *s)
{
	struct account_row row;
	uint64_t lost = 0;
	size_t i = 0;

	while (i < s->row_count) {
		i = sum_source(s, i, &row);
		lost += account_lost(&row) + row.missed;
	}
	return lost;
}

/* ---- as text ------------------------------------------------------------- */

static void cell_u64(struct table *t, uint64_t v)
{
	table_cell(t, "%llu", (unsigned long long)v);
}

static void cells(struct table *t, const char *const *names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		table_cell(t, "%s", names[i]);
}

#define CELLS(t, ...)                                                          \
	cells(t, (const char *const[]){__VA_ARGS__},                           \
	      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_when(struct table *t, const struct stat_pass *s)
{
	const struct archive_info *i = &s->r.info;
	struct buf b = {0};

	table_cell(t, "recorded");
	if (!i->events) {
		table_cell(t, "nothing");
		return;
	}
	render_iso(&b, i->first_ns + (uint64_t)i->wall_offset);
	buf_puts(&b, " .. ");
	render_iso(&b, i->last_ns + (uint64_t)i->wall_offset);
	buf_puts(&b, ", ");
	render_ns(&b, i->last_ns - i->first_ns);
	table_buf(t, &b);
	buf_done(&b);
}

static void put_size(struct table *t, const struct archive_info *i)
{
	struct buf b = {0};

	table_cell(t, "size");
	render_bytes(&b, i->bytes);
	buf_printf(&b, " in %u segment%s", i->segments,
		   i->segments == 1 ? "" : "s");
	if (i->open_segments)
		buf_printf(&b,
			   ", %u of them without an end (in use, or the "
			   "recorder was killed)",
			   i->open_segments);
	if (i->events)
		buf_printf(&b, "; %llu records, %.1f bytes each",
			   (unsigned long long)i->events,
			   (double)i->bytes / (double)i->events);
	table_buf(t, &b);
	buf_done(&b);
}

static void put_head(struct stat_pass *s)
{
	const struct archive_info *i = &s->r.info;
	struct table t = {.align = "ll"};

	put_when(&t, s);
	table_cell(&t, "on");
	table_cell(&t, "%s, Linux %s, by weir %s", i->host ? i->host : "?",
		   i->kernel ? i->kernel : "?", i->version ? i->version : "?");
	if (i->command && i->command[0]) {
		table_cell(&t, "command");
		table_cell(&t, "%s", i->command);
	}
	put_size(&t, i);
	table_cell(&t, "lost");
	if (s->r.missing || lost_in_all(s))
		table_cell(&t, "%llu events in this interval, %llu in all",
			   (unsigned long long)s->r.missing,
			   (unsigned long long)lost_in_all(s));
	else
		table_cell(&t, "nothing");
	table_print(&t, &s->out);
}

static void put_kinds(struct stat_pass *s)
{
	struct table t = {.align = "llrrr"};
	const struct schema_kind *k;
	double seconds = (double)s->span_ns / (double)NS_PER_S;
	uint64_t n;
	unsigned i;

	CELLS(&t, "EVENT", "SOURCE", "COUNT", "PER SECOND", "SHARE");
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		n = s->counts[i];
		k = n ? schema_kind(s->r.render.schema, i) : NULL;
		if (!k)
			continue;
		CELLS(&t, k->name, k->source);
		cell_u64(&t, n);
		table_cell(&t, "%.1f", seconds > 0 ? (double)n / seconds : 0);
		table_cell(&t, "%.1f%%",
			   100.0 * (double)n / (double)s->r.events);
	}
	buf_putc(&s->out, '\n');
	table_print(&t, &s->out);
}

static uint64_t made(const struct account_row *r)
{
	return r->submitted + r->filtered + r->shed + r->lost_kernel;
}

static void put_account(struct stat_pass *s)
{
	struct table t = {.align = "lrrrrrr"};
	struct account_row row;
	size_t i = 0;

	CELLS(&t, "SOURCE", "MADE", "FILTERED", "SHED", "LOST", "MISSED",
	      "KEPT");
	while (i < s->row_count) {
		i = sum_source(s, i, &row);
		if (!made(&row) && !row.missed)
			continue; /* was off */
		table_cell(&t, "%.16s", row.source);
		cell_u64(&t, made(&row));
		cell_u64(&t, row.filtered + row.rejected - row.context);
		cell_u64(&t, row.shed);
		cell_u64(&t, account_lost(&row));
		cell_u64(&t, row.missed);
		cell_u64(&t, row.kept + row.context);
	}
	buf_putc(&s->out, '\n');
	table_print(&t, &s->out);
}

static size_t top_count(const struct stat_pass *s)
{
	size_t n = s->tally.count < TOP_TASKS ? s->tally.count : TOP_TASKS;

	while (n && !s->tally.list[n - 1]->events)
		n--;
	return n;
}

static void put_tasks(struct stat_pass *s)
{
	struct table t = {.align = "rrrl"};
	size_t i, n = top_count(s);

	CELLS(&t, "PID", "EVENTS", "SHARE", "TASK");
	for (i = 0; i < n; i++) {
		const struct process *p = s->tally.list[i];

		table_cell(&t, "%u", p->pid);
		cell_u64(&t, p->events);
		table_cell(&t, "%.1f%%",
			   100.0 * (double)p->events / (double)s->r.events);
		table_cell(&t, "%s%s%s%s", p->comm[0] ? p->comm : "?",
			   p->exe ? " (" : "", p->exe ? p->exe : "",
			   p->exe ? ")" : "");
	}
	buf_putc(&s->out, '\n');
	table_print(&t, &s->out);
}

/* ---- as JSON ------------------------------------------------------------- */

static void put_json_head(struct json *j, const struct stat_pass *s)
{
	const struct archive_info *i = &s->r.info;

	json_member_str(j, "host", i->host);
	json_member_str(j, "kernel", i->kernel);
	json_member_str(j, "boot_id", i->boot_id);
	json_member_str(j, "version", i->version);
	json_member_str(j, "command", i->command);
	json_member_u64(j, "first", i->first_ns + (uint64_t)i->wall_offset);
	json_member_u64(j, "last", i->last_ns + (uint64_t)i->wall_offset);
	json_member_u64(j, "span", s->span_ns);
	json_member_u64(j, "bytes", i->bytes);
	json_member_u64(j, "segments", i->segments);
	json_member_u64(j, "open_segments", i->open_segments);
	json_member_u64(j, "damaged", i->damaged);
	json_member_u64(j, "stored", i->events);
	json_member_u64(j, "events", s->r.events);
	json_member_u64(j, "lost", s->r.missing);
	json_member_u64(j, "lost_in_all", lost_in_all(s));
}

static void put_json_kinds(struct json *j, const struct stat_pass *s)
{
	const struct schema_kind *k;
	unsigned i;

	json_key(j, "kinds");
	json_begin(j, '[');
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = s->counts[i] ? schema_kind(s->r.render.schema, i) : NULL;
		if (!k)
			continue;
		json_begin(j, '{');
		json_member_str(j, "kind", k->name);
		json_member_str(j, "source", k->source);
		json_member_u64(j, "events", s->counts[i]);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void put_json_account(struct json *j, const struct stat_pass *s)
{
	struct account_row row;
	char name[sizeof(row.source) + 1] = "";
	size_t i = 0;

	json_key(j, "sources");
	json_begin(j, '[');
	while (i < s->row_count) {
		i = sum_source(s, i, &row);
		memcpy(name, row.source, sizeof(row.source));
		json_begin(j, '{');
		json_member_str(j, "source", name);
		json_member_u64(j, "submitted", row.submitted);
		json_member_u64(j, "filtered", row.filtered);
		json_member_u64(j, "shed", row.shed);
		json_member_u64(j, "lost_kernel", row.lost_kernel);
		json_member_u64(j, "missed", row.missed);
		json_member_u64(j, "delivered", row.delivered);
		json_member_u64(j, "lost_main", row.lost_main);
		json_member_u64(j, "late", row.late);
		json_member_u64(j, "rejected", row.rejected);
		json_member_u64(j, "context", row.context);
		json_member_u64(j, "kept", row.kept);
		json_member_u64(j, "lost_archive", row.lost_archive);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void put_json_tasks(struct json *j, const struct stat_pass *s)
{
	size_t i, n = top_count(s);

	json_key(j, "tasks");
	json_begin(j, '[');
	for (i = 0; i < n; i++) {
		json_begin(j, '{');
		json_member_u64(j, "pid", s->tally.list[i]->pid);
		json_member_str(j, "comm", s->tally.list[i]->comm);
		json_member_str(j, "exe", s->tally.list[i]->exe);
		json_member_u64(j, "events", s->tally.list[i]->events);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* -------------------------------------------------------------------------- */

static int print(struct stat_pass *s, bool is_json)
{
	struct json j = {.b = &s->out};

	tally_sort(&s->tally);
	s->row_count = archive_account(s->r.archive, &s->rows);
	if (is_json) {
		json_begin(&j, '{');
		put_json_head(&j, s);
		put_json_kinds(&j, s);
		put_json_account(&j, s);
		put_json_tasks(&j, s);
		json_end(&j, '}');
		json_line(&j);
	} else {
		put_head(s);
		put_kinds(s);
		put_account(s);
		put_tasks(s);
	}
	return put_stdout(&s->out);
}

static int stat_archives(const void *arg, const struct opt_words *words)
{
	const struct query_args *args = arg;
	struct stat_pass s = {0};
	int rc = query_open(&s.r, args, words), err, end;

	if (rc)
		return rc;
	s.span_ns = span_of(&s.r);
	err = tally_init(&s.tally, s.r.tasks);
	if (!err)
		err = replay_each(&s.r, on_event, &s);
	if (!err || err == -EBADMSG)
		rc = print(&s, args->json);
	end = query_end(&s.r, err);
	tally_done(&s.tally);
	replay_close(&s.r);
	return rc ? rc : end;
}

const struct command cmd_stat = {
	.name = "stat",
	.synopsis = "ARCHIVE...",
	.help = "tell what is in an archive: counts, rates, losses, tasks",
	.about = "MADE counts what the kernel's side saw, FILTERED what was "
		 "not wanted, SHED what\n"
		 "the budget refused, LOST what was wanted and is not there, "
		 "MISSED when the\n"
		 "kernel did not run a program at all. These are of the whole "
		 "recording, whatever\n"
		 "--from and --to say. Exit status 3 when events were lost.\n",
	.opts = {opts_select, opts_span, opts_json, opts_utc},
	.args_size = sizeof(struct query_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = stat_archives,
};
