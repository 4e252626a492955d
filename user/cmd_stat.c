// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_stat.c - `weir stat`: what is in an archive, and what is not.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "cmd_stat.h"
#include "json.h"
#include "table.h"
#include "tally.h"

struct stat_args {
	struct query_args query;
	uint64_t top;
};

static const struct opt opts[] = {
	{
		.name = "top",
		.type = OPT_COUNT,
		.arg = "N",
		.offset = offsetof(struct stat_args, top),
		.help = "rows of each table (5; on a terminal what fills it; "
			"in JSON all)",
	},
	{0},
};

#define TOP	   5  /* rows of a table */
#define TOP_SCREEN 20 /* at most, however high the terminal */
#define AROUND	   3  /* lines of a table beside: empty, head, how many more */

struct stat_pass {
	struct replay r;
	struct tally tally;
	struct stat_views views;
	size_t top; /* rows of a table */
	uint64_t counts[SCHEMA_KINDS_MAX];
	uint64_t about[SCHEMA_KINDS_MAX]; /* what these stand for */
	uint64_t span_ns;
	const struct account_row *rows;
	size_t row_count;
	struct buf out;
};

static int on_event(void *arg, const struct event *ev)
{
	struct stat_pass *s = arg;
	int err = tally_event(&s->tally, ev);

	s->counts[ev->kind->first->number]++;
	s->about[ev->kind->first->number] += WEIR_WEIGHT(ev->h->flags);
	return err ? err : stat_views_event(&s->views, ev);
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
	render_instant(&b, &s->r.render, i->first_ns);
	buf_puts(&b, " .. ");
	render_instant(&b, &s->r.render, i->last_ns);
	buf_puts(&b, ", ");
	render_ns(&b, i->last_ns - i->first_ns);
	if (i->boots > 1)
		buf_printf(&b, ", in %u boots", i->boots);
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

/* META that not every archive has. Return: how many rows. */
static unsigned put_notes(struct table *t, const struct archive_info *i)
{
	const struct {
		const char *name, *value;
	} notes[] = {
		{"command", i->command},   {"asked", i->asked},
		{"snapshot", i->snapshot}, {"event", i->trigger},
		{"covers", i->covers},	   {"cut", i->cut},
	};
	unsigned n, rows = 0;

	for (n = 0; n < sizeof(notes) / sizeof(notes[0]); n++) {
		if (!notes[n].value || !notes[n].value[0])
			continue;
		rows++;
		if (!t)
			continue;
		table_cell(t, "%s", notes[n].name);
		table_cell(t, "%s", notes[n].value);
	}
	return rows;
}

static void put_head(struct stat_pass *s)
{
	const struct archive_info *i = &s->r.info;
	struct table t = {.align = "ll"};

	put_when(&t, s);
	table_cell(&t, "on");
	table_cell(&t, "%s, Linux %s, by weir %s", i->host ? i->host : "?",
		   i->kernel ? i->kernel : "?", i->version ? i->version : "?");
	put_notes(&t, i);
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

/* Kinds by how many events they have, the most first. */
static size_t order_kinds(const struct stat_pass *s,
			  const struct schema_kind **ret)
{
	const struct schema_kind *k;
	size_t count = 0, at;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = s->counts[i] ? schema_kind(s->r.render.schema, i) : NULL;
		if (!k)
			continue;
		for (at = count++; at; at--) {
			if (s->counts[ret[at - 1]->number] >= s->counts[i])
				break;
			ret[at] = ret[at - 1];
		}
		ret[at] = k;
	}
	return count;
}

static void put_count(struct stat_pass *s, struct table *t, uint64_t n)
{
	double seconds = (double)s->span_ns / (double)NS_PER_S;
	uint64_t all = s->r.events ? s->r.events : 1;

	cell_u64(t, n);
	table_cell(t, "%.1f", seconds > 0 ? (double)n / seconds : 0);
	table_cell(t, "%.1f%%", 100.0 * (double)n / (double)all);
}

static void put_kinds(struct stat_pass *s)
{
	const struct schema_kind *kinds[SCHEMA_KINDS_MAX];
	struct table t = {.align = "llrrr"};
	size_t i, count = order_kinds(s, kinds);
	uint64_t rest = 0;

	CELLS(&t, "EVENT", "SOURCE", "COUNT", "PER SECOND", "SHARE");
	if (s->r.shed) {
		t.align = "llrrrl";
		table_cell(&t, "STANDS FOR");
	}
	for (i = 0; i < count; i++) {
		if (i >= s->top && count > s->top + 1) {
			rest += s->counts[kinds[i]->number];
			continue;
		}
		CELLS(&t, kinds[i]->name, kinds[i]->source);
		put_count(s, &t, s->counts[kinds[i]->number]);
		if (s->r.shed)
			table_cell(
				&t, "\u2248 %llu",
				(unsigned long long)s->about[kinds[i]->number]);
	}
	if (rest) {
		table_cell(&t, "(%zu more)", count - s->top);
		table_cell(&t, " ");
		put_count(s, &t, rest);
		if (s->r.shed)
			table_cell(&t, " ");
	}
	buf_putc(&s->out, '\n');
	table_print(&t, &s->out);
}

static uint64_t made(const struct account_row *r)
{
	return r->submitted + r->filtered + r->shed + r->lost_kernel;
}

/* What nobody asked for, and is not there for its state either. */
static uint64_t filtered(const struct account_row *r)
{
	return r->filtered + r->rejected - r->context;
}

/* Where all that was made is kept there is nothing to tell. */
static bool has_story(const struct account_row *r)
{
	return filtered(r) || r->shed || r->missed || account_lost(r);
}

static bool account_has_story(const struct stat_pass *s)
{
	struct account_row row;
	bool found = false;
	size_t i = 0;

	while (i < s->row_count && !found) {
		i = sum_source(s, i, &row);
		found = has_story(&row);
	}
	return found;
}

static void put_account(struct stat_pass *s)
{
	struct table t = {.align = "lrrrrrr"};
	struct account_row row;
	size_t i = 0;

	if (!account_has_story(s))
		return;

	CELLS(&t, "SOURCE", "MADE", "FILTERED", "SHED", "LOST", "MISSED",
	      "KEPT");
	while (i < s->row_count) {
		i = sum_source(s, i, &row);
		if (!made(&row) && !row.missed)
			continue; /* was off */
		table_cell(&t, "%.16s", row.source);
		cell_u64(&t, made(&row));
		cell_u64(&t, filtered(&row));
		cell_u64(&t, row.shed);
		cell_u64(&t, account_lost(&row));
		cell_u64(&t, row.missed);
		cell_u64(&t, row.kept + row.context);
	}
	buf_putc(&s->out, '\n');
	table_print(&t, &s->out);
}

static size_t active_count(const struct stat_pass *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->tally.count; i++)
		n += s->tally.list[i]->events != 0;
	return n;
}

static void put_task(struct stat_pass *s, struct table *t,
		     const struct process *p, bool cpu)
{
	struct buf b = {0};

	table_cell(t, "%u", p->pid);
	cell_u64(t, p->events);
	table_cell(t, "%.1f%%",
		   100.0 * (double)p->events / (double)s->r.events);
	if (cpu) {
		render_ns(&b, p->cpu_ns);
		table_buf(t, &b);
		table_cell(t, "%.1f%%",
			   s->span_ns ? 100.0 * (double)p->cpu_ns /
						(double)s->span_ns
				      : 0);
	}
	table_cell(t, "%s%s%s%s", p->comm[0] ? p->comm : "?",
		   p->exe ? " (" : "", p->exe ? p->exe : "", p->exe ? ")" : "");
	buf_done(&b);
}

static void put_tasks(struct stat_pass *s)
{
	bool cpu = s->tally.count && s->tally.list[0]->cpu_ns;
	struct table t = {.align = cpu ? "rrrrrl" : "rrrl"};
	size_t i, n = active_count(s), shown = 0;

	if (!n)
		return;
	CELLS(&t, "PID", "EVENTS", "SHARE");
	if (cpu)
		CELLS(&t, "CPU TIME", "OF A CPU");
	CELLS(&t, "TASK");
	for (i = 0; i < s->tally.count && shown < s->top; i++)
		if (s->tally.list[i]->events) {
			put_task(s, &t, s->tally.list[i], cpu);
			shown++;
		}
	if (n > shown) {
		CELLS(&t, " ", " ", " ");
		if (cpu)
			CELLS(&t, " ", " ");
		table_cell(&t, "(%zu more)", n - shown);
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
	json_member_str(j, "asked", i->asked);
	json_member_str(j, "snapshot", i->snapshot);
	json_member_str(j, "trigger", i->trigger);
	json_member_str(j, "covers", i->covers);
	json_member_bool(j, "cut", *i->cut);
	json_member_u64(j, "first", i->first_ns + (uint64_t)i->wall_offset);
	json_member_u64(j, "last", i->last_ns + (uint64_t)i->wall_offset);
	json_member_u64(j, "span", s->span_ns);
	json_member_u64(j, "bytes", i->bytes);
	json_member_u64(j, "boots", i->boots);
	json_member_u64(j, "segments", i->segments);
	json_member_u64(j, "open_segments", i->open_segments);
	json_member_u64(j, "damaged", i->damaged);
	json_member_u64(j, "stored", i->events);
	json_member_u64(j, "events", s->r.events);
	json_member_u64(j, "lost", s->r.missing);
	json_member_u64(j, "shed", s->r.shed);
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
		json_member_u64(j, "about", s->about[i]);
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
	const struct process *p;
	size_t i, n = 0;

	json_key(j, "tasks");
	json_begin(j, '[');
	for (i = 0; i < s->tally.count && n < s->top; i++) {
		p = s->tally.list[i];
		if (!p->events)
			continue;
		n++;
		json_begin(j, '{');
		json_member_u64(j, "pid", p->pid);
		json_member_str(j, "comm", p->comm);
		json_member_str(j, "exe", p->exe);
		json_member_u64(j, "events", p->events);
		json_member_u64(j, "cpu", p->cpu_ns);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* -------------------------------------------------------------------------- */

/* Rows of each table so that all together fit the terminal's height. */
static size_t top_of_screen(const struct stat_pass *s)
{
	unsigned tables = 2 + account_has_story(s) +
			  stat_views_shown(&s->views);
	unsigned head = 5 + put_notes(NULL, &s->r.info);
	struct winsize w;
	unsigned rows;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_row <= head + 1)
		return TOP;
	rows = (w.ws_row - head - 1) / tables;
	rows = rows > AROUND ? rows - AROUND : 1;
	return rows < TOP_SCREEN ? rows : TOP_SCREEN;
}

static int print(struct stat_pass *s, bool is_json)
{
	struct json j = {.b = &s->out};

	tally_sort(&s->tally);
	stat_views_sort(&s->views);
	s->row_count = archive_account(s->r.archive, &s->rows);
	if (!s->top)
		s->top = is_json ? SIZE_MAX : top_of_screen(s);
	if (is_json) {
		json_begin(&j, '{');
		put_json_head(&j, s);
		put_json_kinds(&j, s);
		put_json_account(&j, s);
		put_json_tasks(&j, s);
		stat_views_json(&s->views, s->top, &j);
		json_end(&j, '}');
		json_line(&j);
	} else {
		put_head(s);
		put_kinds(s);
		put_account(s);
		put_tasks(s);
		stat_views_text(&s->views, s->top, &s->out);
	}
	return put_stdout(&s->out);
}

static int pass(struct stat_pass *s)
{
	int err = tally_init(&s->tally, &s->r.render, s->r.tasks);

	if (!err)
		err = stat_views_init(&s->views, &s->r.render);
	if (!err)
		err = replay_each(&s->r, on_event, s);
	return err;
}

static int stat_archives(const void *arg, const struct opt_words *words)
{
	const struct stat_args *args = arg;
	struct stat_pass s = {.top = args->top};
	int rc = query_open(&s.r, &args->query, words), err, end;

	if (rc)
		return rc;
	s.span_ns = span_of(&s.r);
	err = pass(&s);
	if (!err || err == -EBADMSG)
		rc = print(&s, args->query.json);
	end = query_end(&s.r, err);
	stat_views_done(&s.views);
	tally_done(&s.tally);
	replay_close(&s.r);
	return rc ? rc : end;
}

const struct command cmd_stat = {
	.name = "stat",
	.synopsis = "ARCHIVE...",
	.help = "tell what is in an archive: who did what, how long it took, "
		"losses",
	.about = "The tables that have something to tell, the most of it first "
		 "in each: events;\n"
		 "tasks, by CPU time when sched was recorded; system calls and "
		 "how they failed;\n"
		 "disks; peers of TCP connections, and whether the peer is the "
		 "server or the\n"
		 "client; how long tasks waited for a CPU; losses. P50 is what "
		 "half did not\n"
		 "exceed, P99 what 99 percent did not, within 0.4 percent.\n"
		 "\n"
		 "When not all events that were made were kept a table tells "
		 "why: MADE counts\n"
		 "what the kernel's side saw, FILTERED what was not wanted, "
		 "SHED what the budget\n"
		 "refused, LOST what was wanted and is not there, MISSED when "
		 "the kernel did not\n"
		 "run a program at all. These are of the whole recording, "
		 "whatever --from and\n"
		 "--to say. Exit status 3 when events were lost.\n",
	.opts = {opts, opts_select, opts_span, opts_ahead, opts_json, opts_utc,
		 opts_quiet},
	.args_size = sizeof(struct stat_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = stat_archives,
};
