// SPDX-License-Identifier: BSD-2-Clause
#include "health.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "render.h"
#include "table.h"

#define PPM 1000000

/* ---- what both forms tell ------------------------------------------------ */

bool health_source(const struct recorder *r, unsigned i,
		   struct source_health *ret)
{
	const struct sources *all = recorder_sources(r);
	const struct account_row *rows;
	struct account_row one;
	size_t j, count = recorder_rows(r, &rows);

	if (i >= sources_count(all))
		return false;
	sources_info(all, i, &ret->info);
	ret->row = (struct account_row){0};
	for (j = 0; j < count; j++) {
		if (strcmp(rows[j].source, ret->info.name))
			continue;
		account_read(&one, &rows[j]);
		account_add(&ret->row, &one);
	}
	/* the kernel's counters are up to a second older */
	if (ret->row.submitted < ret->row.delivered)
		ret->row.submitted = ret->row.delivered;
	ret->attempted = ret->row.submitted + ret->row.filtered +
			 ret->row.shed + ret->row.lost_kernel;
	ret->info.on |= !strcmp(ret->info.name, SOURCE_REPO);
	return true;
}

static bool is_of_interest(const struct source_health *s)
{
	return s->info.on || s->info.wanted || s->attempted || s->row.missed;
}

/* ---- a snapshot ---------------------------------------------------------- */

static uint64_t wall(const struct snapshot_result *r, uint64_t ns)
{
	return ns + (uint64_t)r->wall_offset;
}

void health_snapshot_json(struct json *j, const struct snapshot_result *r)
{
	bool read = r->from_ns != 0;

	json_begin(j, '{');
	json_member_u64(j, "number", r->number);
	json_member_str(j, "why", r->why);
	json_member_str(j, "path", r->path[0] ? r->path : NULL);
	json_member_u64(j, "from", read ? wall(r, r->from_ns) : 0);
	json_member_u64(j, "to", r->to_ns ? wall(r, r->to_ns) : 0);
	json_member_u64(j, "span",
			r->to_ns > r->from_ns ? r->to_ns - r->from_ns : 0);
	json_member_u64(j, "events", r->events);
	json_member_u64(j, "lost", r->lost);
	json_member_u64(j, "bytes", r->bytes);
	json_member_bool(j, "cut", r->cut);
	json_member_str(j, "error", r->err ? r->what : NULL);
	json_end(j, '}');
}

static void put_covered(struct buf *b, const struct snapshot_result *r)
{
	buf_puts(b, "covers ");
	render_ns(b, r->to_ns > r->from_ns ? r->to_ns - r->from_ns : 0);
	buf_puts(b, ", ");
	render_iso(b, wall(r, r->from_ns));
	buf_puts(b, " .. ");
	render_iso(b, wall(r, r->to_ns));
	buf_printf(b, ": %llu events, ", (unsigned long long)r->events);
	render_bytes(b, r->bytes);
	if (r->lost)
		buf_printf(b, ", %llu lost", (unsigned long long)r->lost);
	else
		buf_puts(b, ", nothing lost");
	if (r->cut)
		buf_puts(b, "; ends early, it could not keep up");
}

void health_snapshot_text(struct buf *b, const struct snapshot_result *r)
{
	buf_printf(b, "snapshot %llu", (unsigned long long)r->number);
	if (r->path[0]) {
		buf_puts(b, " in ");
		render_escape(b, r->path, strlen(r->path));
	}
	if (r->err) {
		buf_puts(b, " failed: ");
		render_escape(b, r->what, strlen(r->what));
	}
	if (!r->err || r->events) {
		buf_puts(b, " ");
		put_covered(b, r);
	}
	buf_putc(b, '\n');
}

/* ---- as JSON ------------------------------------------------------------- */

static void json_sources(struct json *j, const struct health *h,
			 const struct recorder_status *status)
{
	struct source_health s;
	unsigned i;

	json_key(j, "sources");
	json_begin(j, '[');
	for (i = 0; health_source(h->recorder, i, &s); i++) {
		json_begin(j, '{');
		json_member_str(j, "source", s.info.name);
		json_member_bool(j, "wanted", s.info.wanted);
		json_member_bool(j, "on", s.info.on);
		json_member_str(j, "why", s.info.why);
		json_member_u64(j, "programs", s.info.programs);
		json_member_u64(j, "ring_bytes", s.info.ring_bytes);
		json_member_u64(j, "ring_used", status->ring_used[i]);
		json_member_u64(j, "attempted", s.attempted);
		json_member_u64(j, "delivered", s.row.delivered);
		json_member_u64(j, "filtered", s.row.filtered);
		json_member_u64(j, "rejected", s.row.rejected);
		json_member_u64(j, "context", s.row.context);
		json_member_u64(j, "kept", s.row.kept);
		json_member_u64(j, "shed", s.row.shed);
		json_member_u64(j, "one_in", 1ULL << status->shed_log2[i]);
		json_member_u64(j, "missed", s.row.missed);
		json_member_u64(j, "lost_kernel", s.row.lost_kernel);
		json_member_u64(j, "lost_main", s.row.lost_main);
		json_member_u64(j, "lost_archive", s.row.lost_archive);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void json_window(struct json *j, const struct flight_stats *s)
{
	json_key(j, "window");
	json_begin(j, '{');
	json_member_u64(j, "bytes", s->window.bytes);
	json_member_u64(j, "used", s->window.used);
	json_member_u64(j, "wanted", s->window.ns);
	json_member_u64(j, "reach", s->window.reach_ns);
	json_member_u64(j, "events", s->window.events);
	json_member_u64(j, "keyframes", s->window.keys);
	json_member_u64(j, "keyframe_bytes", s->window.key_bytes);
	json_member_u64(j, "keyframe_time", s->window.key_ns);
	json_end(j, '}');
}

static void json_snapshots(struct json *j, const struct health *h,
			   const struct flight_stats *s)
{
	unsigned i;

	json_key(j, "snapshots");
	json_begin(j, '{');
	json_member_u64(j, "asked", s->asked);
	json_member_u64(j, "active", s->active);
	json_member_u64(j, "ended", s->ended);
	json_member_u64(j, "failed", s->failed);
	json_member_u64(j, "refused", s->refused);
	json_key(j, "last");
	json_begin(j, '[');
	for (i = 0; i < h->snapshot_count; i++)
		health_snapshot_json(j, &h->snapshots[i]);
	json_end(j, ']');
	json_end(j, '}');
}

static void json_triggers(struct json *j, const struct flight *f)
{
	const struct trigger *t;
	struct trigger_stats s;
	unsigned i;

	json_key(j, "triggers");
	json_begin(j, '[');
	for (i = 0; (t = flight_trigger_at(f, i)); i++) {
		trigger_stats(t, &s);
		json_begin(j, '{');
		json_member_str(j, "on", trigger_text(t));
		json_member_u64(j, "fired", s.fired);
		json_member_u64(j, "held", s.held);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void json_flight(struct json *j, const struct health *h)
{
	struct flight *f = recorder_flight_of(h->recorder);
	struct flight_stats s;

	if (!f)
		return;
	flight_stats(f, &s);
	json_window(j, &s);
	json_snapshots(j, h, &s);
	json_triggers(j, f);
}

static void json_archive(struct json *j, const struct health *h,
			 const struct recorder_status *s)
{
	if (!h->into[0])
		return;
	json_key(j, "archive");
	json_begin(j, '{');
	json_member_str(j, "path", h->into);
	json_member_u64(j, "bytes", s->archive_bytes);
	json_member_u64(j, "segments", s->archive_segments);
	json_member_u64(j, "events", s->archive_events);
	json_member_str(j, "error",
			s->archive_error ? strerror(-s->archive_error) : NULL);
	json_end(j, '}');
}

static void json_cost(struct json *j, const struct recorder_status *s)
{
	json_key(j, "cost");
	json_begin(j, '{');
	json_member_u64(j, "cpu_ns", s->cpu_ns);
	json_member_u64(j, "bpf_ns", s->bpf_ns);
	json_member_u64(j, "rss", s->rss_bytes);
	json_end(j, '}');
}

static void json_budget(struct json *j, const struct recorder_status *s)
{
	if (!s->budget.ppm && !s->budget.bytes)
		return;
	json_key(j, "budget");
	json_begin(j, '{');
	json_member_u64(j, "limit_ppm", s->budget.ppm);
	json_member_u64(j, "cost_ppm", s->cost_ppm);
	json_member_u64(j, "limit_bytes", s->budget.bytes);
	json_member_u64(j, "bytes", s->written_bps);
	json_end(j, '}');
}

static void json_control(struct json *j, const struct server_stats *s)
{
	json_key(j, "control");
	json_begin(j, '{');
	json_member_u64(j, "clients", s->clients);
	json_member_u64(j, "accepted", s->accepted);
	json_member_u64(j, "answered", s->answered);
	json_member_u64(j, "refused", s->refused);
	json_member_u64(j, "dropped", s->dropped);
	json_end(j, '}');
}

/* Wall-clock ns; 0: it has not started yet. */
static uint64_t started_at(const struct recorder_status *s)
{
	return s->started_ns ? s->started_ns + (uint64_t)clock_wall_offset()
			     : 0;
}

static uint64_t running_ns(const struct recorder_status *s)
{
	return s->started_ns ? clock_now() - s->started_ns : 0;
}

void health_json(struct buf *b, const struct health *h)
{
	struct json j = {.b = b};
	struct recorder_status s;

	recorder_status(h->recorder, &s);
	json_begin(&j, '{');
	json_member_str(&j, "name", h->name);
	json_member_u64(&j, "pid", (uint64_t)getpid());
	json_member_str(&j, "version", WEIR_VERSION);
	json_member_str(&j, "command", h->command);
	json_member_u64(&j, "started", started_at(&s));
	json_member_u64(&j, "running", running_ns(&s));
	json_member_u64(&j, "events", s.events);
	json_member_u64(&j, "bytes", s.bytes);
	json_member_u64(&j, "lost", s.lost);
	json_member_u64(&j, "late", s.late);
	json_member_u64(&j, "stalls", s.stalls);
	json_member_u64(&j, "woken", s.woken);
	json_member_u64(&j, "lag", s.lag_ns);
	json_member_u64(&j, "tasks", s.tasks);
	json_member_u64(&j, "main_ring_bytes", s.main_bytes);
	json_member_u64(&j, "main_ring_used", s.main_used);
	json_cost(&j, &s);
	json_budget(&j, &s);
	json_sources(&j, h, &s);
	json_archive(&j, h, &s);
	json_flight(&j, h);
	json_control(&j, &h->server);
	json_end(&j, '}');
	json_line(&j);
}

/* ---- as text ------------------------------------------------------------- */

static void row(struct table *t, const char *name, struct buf *text)
{
	table_cell(t, "%s", name);
	table_buf(t, text);
}

static void put_share(struct buf *b, uint64_t ns, uint64_t of)
{
	buf_printf(b, "%.2f%%", of ? 100.0 * (double)ns / (double)of : 0.0);
}

static void text_running(struct table *t, const struct health *h,
			 const struct recorder_status *s)
{
	struct buf b = {0};

	buf_printf(&b, "%s, pid %d, for ", h->name, (int)getpid());
	render_ns(&b, running_ns(s) / NS_PER_S * NS_PER_S);
	buf_puts(&b, ", since ");
	render_iso(&b, started_at(s));
	row(t, "recorder", &b);
	if (h->command[0]) {
		buf_puts(&b, h->command);
		row(t, "command", &b);
	}
	buf_printf(&b, "%llu, ", (unsigned long long)s->events);
	render_bytes(&b, s->bytes);
	buf_printf(&b, "; %llu lost, %llu late; ", (unsigned long long)s->lost,
		   (unsigned long long)s->late);
	render_ns(&b, s->lag_ns);
	buf_puts(&b, " behind");
	row(t, "events", &b);
	buf_done(&b);
}

static void text_cost(struct table *t, const struct recorder_status *s)
{
	struct buf b = {0};

	put_share(&b, s->cpu_ns, running_ns(s));
	buf_puts(&b, " of a CPU here, ");
	put_share(&b, s->bpf_ns, running_ns(s));
	buf_puts(&b, " in the kernel, ");
	render_bytes(&b, s->rss_bytes);
	buf_puts(&b, " of memory; main ring ");
	render_bytes(&b, s->main_used);
	buf_puts(&b, " of ");
	render_bytes(&b, s->main_bytes);
	row(t, "cost", &b);
	buf_done(&b);
}

/* Of the sources that record one event in so many. */
static void put_rates(struct buf *b, const struct health *h,
		      const struct recorder_status *s)
{
	struct source_health one;
	unsigned i;

	for (i = 0; health_source(h->recorder, i, &one); i++)
		if (s->shed_log2[i])
			buf_printf(b, "; %s one in %llu", one.info.name,
				   1ULL << s->shed_log2[i]);
}

static void text_budget(struct table *t, const struct health *h,
			const struct recorder_status *s)
{
	struct buf b = {0};

	if (!s->budget.ppm && !s->budget.bytes)
		return;
	put_share(&b, s->cost_ppm, PPM);
	if (s->budget.ppm) {
		buf_puts(&b, " of ");
		put_share(&b, s->budget.ppm, PPM);
	}
	buf_puts(&b, " of a CPU, ");
	render_bytes(&b, s->written_bps);
	if (s->budget.bytes) {
		buf_puts(&b, " of ");
		render_bytes(&b, s->budget.bytes);
	}
	buf_puts(&b, " a second");
	put_rates(&b, h, s);
	row(t, "budget", &b);
	buf_done(&b);
}

static void text_archive(struct table *t, const struct health *h,
			 const struct recorder_status *s)
{
	struct buf b = {0};

	if (!h->into[0])
		return;
	buf_printf(&b, "%s, ", h->into);
	render_bytes(&b, s->archive_bytes);
	buf_printf(&b, " in %llu segment%s",
		   (unsigned long long)s->archive_segments,
		   s->archive_segments == 1 ? "" : "s");
	if (s->archive_error)
		buf_printf(&b, "; cannot write: %s",
			   strerror(-s->archive_error));
	row(t, "archive", &b);
	buf_done(&b);
}

static void text_triggers(struct table *t, const struct flight *f)
{
	const struct trigger *one;
	struct trigger_stats s;
	struct buf b = {0};
	unsigned i;

	for (i = 0; (one = flight_trigger_at(f, i)); i++) {
		trigger_stats(one, &s);
		buf_printf(&b, "fired %llu, held back %llu: ",
			   (unsigned long long)s.fired,
			   (unsigned long long)s.held);
		render_escape(&b, trigger_text(one), strlen(trigger_text(one)));
		row(t, "trigger", &b);
	}
	buf_done(&b);
}

static void text_window(struct table *t, const struct health *h)
{
	struct flight *f = recorder_flight_of(h->recorder);
	struct flight_stats s;
	struct buf b = {0};

	if (!f)
		return;
	flight_stats(f, &s);
	buf_puts(&b, "reaches back ");
	render_ns(&b, s.window.reach_ns);
	buf_puts(&b, ", ");
	render_bytes(&b, s.window.used);
	buf_puts(&b, " of ");
	render_bytes(&b, s.window.bytes);
	buf_puts(&b, "; keyframes of ");
	render_bytes(&b, s.window.key_bytes);
	buf_puts(&b, " in ");
	render_ns(&b, s.window.key_ns);
	row(t, "window", &b);
	buf_printf(&b, "%llu taken, %u under way, %llu failed, %llu refused",
		   (unsigned long long)s.ended, s.active,
		   (unsigned long long)s.failed, (unsigned long long)s.refused);
	row(t, "snapshots", &b);
	text_triggers(t, f);
	buf_done(&b);
}

/* How full its mini-buffers are; "-": it has none. */
static void fill_cell(struct table *t, uint64_t used, uint64_t size)
{
	struct buf b = {0};

	if (size) {
		render_bytes(&b, used);
		buf_putc(&b, '/');
		render_bytes(&b, size);
	} else {
		buf_putc(&b, '-');
	}
	table_buf(t, &b);
	buf_done(&b);
}

static void text_sources(struct buf *out, const struct health *h,
			 const struct recorder_status *status)
{
	struct table t = {.align = "llrrrrrrrl"};
	static const char *const head[] = {
		"SOURCE",   "STATE", "BUFFER", "MADE",	 "KEPT",
		"FILTERED", "SHED",  "LOST",   "MISSED", "WHY"};
	struct source_health s;
	unsigned i;

	for (i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		table_cell(&t, "%s", head[i]);
	for (i = 0; health_source(h->recorder, i, &s); i++) {
		if (!is_of_interest(&s))
			continue;
		table_cell(&t, "%s", s.info.name);
		table_cell(&t, "%s", s.info.on ? "on" : "off");
		fill_cell(&t, status->ring_used[i], s.info.ring_bytes);
		table_cell(&t, "%llu", (unsigned long long)s.attempted);
		table_cell(&t, "%llu",
			   (unsigned long long)(s.row.kept + s.row.context));
		table_cell(&t, "%llu",
			   (unsigned long long)(s.row.filtered +
						s.row.rejected -
						s.row.context));
		table_cell(&t, "%llu", (unsigned long long)s.row.shed);
		table_cell(&t, "%llu",
			   (unsigned long long)account_lost(&s.row));
		table_cell(&t, "%llu", (unsigned long long)s.row.missed);
		table_cell(&t, "%s", s.info.why);
	}
	buf_putc(out, '\n');
	table_print(&t, out);
}

void health_text(struct buf *b, const struct health *h)
{
	struct table t = {.align = "ll"};
	struct recorder_status s;
	unsigned i;

	recorder_status(h->recorder, &s);
	text_running(&t, h, &s);
	text_cost(&t, &s);
	text_budget(&t, h, &s);
	text_archive(&t, h, &s);
	text_window(&t, h);
	table_print(&t, b);
	text_sources(b, h, &s);
	if (h->snapshot_count)
		buf_putc(b, '\n');
	for (i = 0; i < h->snapshot_count; i++)
		health_snapshot_text(b, &h->snapshots[i]);
}
