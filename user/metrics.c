// SPDX-License-Identifier: BSD-2-Clause
#include "metrics.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "utf8.h"

/* ---- what there is ------------------------------------------------------- */

/* What rows read from; filled anew for each answer, and in it for each source
 * and trigger. */
struct facts {
	const struct health *health;
	struct recorder_status status;
	struct flight_stats flight;
	struct source_health source;
	struct trigger_stats trigger;
	const struct trigger *trigger_is;
	unsigned trigger_index;
	uint64_t started_ns, running_ns, control_cpu_ns; /* wall; since */
	struct server_stats control;
	int archive_errno;
	uint64_t one, one_in, ring_used;
};

enum metric_type { COUNTER, GAUGE };

enum metric_unit {
	NUMBER = 1,
	NS = 1000000000, /* shown in seconds */
	PPM = 1000000,	 /* shown as a ratio */
};

/* Of what there is a sample each. */
enum metric_of {
	OF_ALL,
	OF_BUILD,
	OF_BUDGET,
	OF_SOURCE,
	OF_ARCHIVE,
	OF_WINDOW,
	OF_TRIGGER
};

/* Rows of one name follow each other; the first has the help. */
struct metric {
	const char *name, *help;
	enum metric_type type;
	enum metric_unit unit;
	enum metric_of of;
	const char *label; /* written as it is, or NULL */
	size_t offset, size;
};

#define AT(member)                                                             \
	offsetof(struct facts, member), sizeof(((struct facts *)0)->member)

static const struct metric metrics[] = {
	{"build_info", "Version of weir and name of the recorder; always 1.",
	 GAUGE, NUMBER, OF_BUILD, NULL, AT(one)},
	{"start_time_seconds", "When recording began, since the epoch.", GAUGE,
	 NS, OF_ALL, NULL, AT(started_ns)},
	{"uptime_seconds", "For how long it has been recording.", GAUGE, NS,
	 OF_ALL, NULL, AT(running_ns)},
	{"events_total", "Events that came through.", COUNTER, NUMBER, OF_ALL,
	 NULL, AT(status.events)},
	{"event_bytes_total", "Bytes of these events.", COUNTER, NUMBER, OF_ALL,
	 NULL, AT(status.bytes)},
	{"events_lost_total",
	 "Events lost at any stage, as far as told in the stream.", COUNTER,
	 NUMBER, OF_ALL, NULL, AT(status.lost)},
	{"events_late_total", "Events that came after their turn.", COUNTER,
	 NUMBER, OF_ALL, NULL, AT(status.late)},
	{"stalls_total", "Times that a writer held up the merge for too long.",
	 COUNTER, NUMBER, OF_ALL, NULL, AT(status.stalls)},
	{"woken_total",
	 "Times that a mini-buffer woke the aggregator before its timer did.",
	 COUNTER, NUMBER, OF_ALL, NULL, AT(status.woken)},
	{"lag_seconds", "How far the repo is behind what happens.", GAUGE, NS,
	 OF_ALL, NULL, AT(status.lag_ns)},
	{"tasks", "Tasks that are known.", GAUGE, NUMBER, OF_ALL, NULL,
	 AT(status.tasks)},
	{"main_ring_bytes", "Size of the main ring.", GAUGE, NUMBER, OF_ALL,
	 NULL, AT(status.main_bytes)},
	{"main_ring_used_bytes", "Of it filled.", GAUGE, NUMBER, OF_ALL, NULL,
	 AT(status.main_used)},

	{"cpu_seconds_total", "CPU time of all threads of weir.", COUNTER, NS,
	 OF_ALL, NULL, AT(status.cpu_ns)},
	{"thread_cpu_seconds_total",
	 "CPU time of single threads; the rest is the archive's and "
	 "the snapshots'.",
	 COUNTER, NS, OF_ALL, "thread=\"aggregator\"",
	 AT(status.cpu_aggregator_ns)},
	{"thread_cpu_seconds_total", NULL, COUNTER, NS, OF_ALL,
	 "thread=\"repo\"", AT(status.cpu_repo_ns)},
	{"thread_cpu_seconds_total", NULL, COUNTER, NS, OF_ALL,
	 "thread=\"control\"", AT(control_cpu_ns)},
	{"bpf_cpu_ratio",
	 "Share of one CPU that the programs take in the kernel, when last "
	 "measured; 0 before.",
	 GAUGE, PPM, OF_ALL, NULL, AT(status.bpf_ppm)},
	{"cost_ratio",
	 "What weir costs in all, as the budget counts it, of one CPU.", GAUGE,
	 PPM, OF_BUDGET, NULL, AT(status.cost_ppm)},
	{"budget_ratio", "What it may cost; 0: any.", GAUGE, PPM, OF_BUDGET,
	 NULL, AT(status.budget.ppm)},
	{"written_bytes_per_second", "What it writes, as the budget counts it.",
	 GAUGE, NUMBER, OF_BUDGET, NULL, AT(status.written_bps)},
	{"budget_bytes_per_second", "What it may write; 0: any.", GAUGE, NUMBER,
	 OF_BUDGET, NULL, AT(status.budget.bytes)},
	{"resident_bytes", "Memory of weir, shared mappings included.", GAUGE,
	 NUMBER, OF_ALL, NULL, AT(status.rss_bytes)},

	{"source_on", "1 when a source is attached.", GAUGE, NUMBER, OF_SOURCE,
	 NULL, AT(source.info.on)},
	{"source_ring_bytes", "Size of a source's mini-buffers.", GAUGE, NUMBER,
	 OF_SOURCE, NULL, AT(source.info.ring_bytes)},
	{"source_ring_used_bytes", "Of them filled.", GAUGE, NUMBER, OF_SOURCE,
	 NULL, AT(ring_used)},
	{"source_attempted_total", "Events a source made, or refused to make.",
	 COUNTER, NUMBER, OF_SOURCE, NULL, AT(source.attempted)},
	{"source_delivered_total", "Events taken from its mini-buffers.",
	 COUNTER, NUMBER, OF_SOURCE, NULL, AT(source.row.delivered)},
	{"source_filtered_total", "Events the kernel refused by the filter.",
	 COUNTER, NUMBER, OF_SOURCE, NULL, AT(source.row.filtered)},
	{"source_rejected_total", "Events the repo refused by the filter.",
	 COUNTER, NUMBER, OF_SOURCE, NULL, AT(source.row.rejected)},
	{"source_context_total", "Of those, events kept for their state.",
	 COUNTER, NUMBER, OF_SOURCE, NULL, AT(source.row.context)},
	{"source_kept_total", "Events kept.", COUNTER, NUMBER, OF_SOURCE, NULL,
	 AT(source.row.kept)},
	{"source_shed_total", "Events refused by the budget.", COUNTER, NUMBER,
	 OF_SOURCE, NULL, AT(source.row.shed)},
	{"source_one_in", "One event of so many is recorded, by the budget.",
	 GAUGE, NUMBER, OF_SOURCE, NULL, AT(one_in)},
	{"source_missed_total", "Times that a program was skipped.", COUNTER,
	 NUMBER, OF_SOURCE, NULL, AT(source.row.missed)},
	{"source_lost_total", "Events lost, by stage.", COUNTER, NUMBER,
	 OF_SOURCE, "stage=\"kernel\"", AT(source.row.lost_kernel)},
	{"source_lost_total", NULL, COUNTER, NUMBER, OF_SOURCE,
	 "stage=\"main\"", AT(source.row.lost_main)},
	{"source_lost_total", NULL, COUNTER, NUMBER, OF_SOURCE,
	 "stage=\"archive\"", AT(source.row.lost_archive)},

	{"archive_bytes_total", "Bytes written to the archive.", COUNTER,
	 NUMBER, OF_ARCHIVE, NULL, AT(status.archive_bytes)},
	{"archive_events_total", "Events given to the archive.", COUNTER,
	 NUMBER, OF_ARCHIVE, NULL, AT(status.archive_events)},
	{"archive_segments_total", "Segments begun.", COUNTER, NUMBER,
	 OF_ARCHIVE, NULL, AT(status.archive_segments)},
	{"archive_retired_total", "Segments removed: --keep, --keep-for.",
	 COUNTER, NUMBER, OF_ARCHIVE, NULL, AT(status.retired)},
	{"archive_errno", "Error of the last write, as errno; 0: none.", GAUGE,
	 NUMBER, OF_ARCHIVE, NULL, AT(archive_errno)},

	{"window_bytes", "Size of the window.", GAUGE, NUMBER, OF_WINDOW, NULL,
	 AT(flight.window.bytes)},
	{"window_used_bytes", "Of it filled.", GAUGE, NUMBER, OF_WINDOW, NULL,
	 AT(flight.window.used)},
	{"window_reach_seconds", "How far back it can be read.", GAUGE, NS,
	 OF_WINDOW, NULL, AT(flight.window.reach_ns)},
	{"window_wanted_seconds", "How far it is to reach; 0: as it can.",
	 GAUGE, NS, OF_WINDOW, NULL, AT(flight.window.ns)},
	{"window_events_total", "Events put into it.", COUNTER, NUMBER,
	 OF_WINDOW, NULL, AT(flight.window.events)},
	{"window_keyframes_total", "Keyframes written.", COUNTER, NUMBER,
	 OF_WINDOW, NULL, AT(flight.window.keys)},
	{"window_keyframe_bytes", "Size of the last one.", GAUGE, NUMBER,
	 OF_WINDOW, NULL, AT(flight.window.key_bytes)},
	{"window_keyframe_seconds", "How long it took the repo.", GAUGE, NS,
	 OF_WINDOW, NULL, AT(flight.window.key_ns)},
	{"snapshots_asked_total", "Snapshots begun.", COUNTER, NUMBER,
	 OF_WINDOW, NULL, AT(flight.asked)},
	{"snapshots_ended_total", "Snapshots that have ended.", COUNTER, NUMBER,
	 OF_WINDOW, NULL, AT(flight.ended)},
	{"snapshots_failed_total", "Of those, that failed.", COUNTER, NUMBER,
	 OF_WINDOW, NULL, AT(flight.failed)},
	{"snapshots_refused_total", "Snapshots refused: too many at a time.",
	 COUNTER, NUMBER, OF_WINDOW, NULL, AT(flight.refused)},
	{"snapshots_active", "Snapshots under way.", GAUGE, NUMBER, OF_WINDOW,
	 NULL, AT(flight.active)},
	{"trigger_fired_total", "Snapshots a trigger asked for.", COUNTER,
	 NUMBER, OF_TRIGGER, NULL, AT(trigger.fired)},
	{"trigger_held_total", "Times that its limits held it back.", COUNTER,
	 NUMBER, OF_TRIGGER, NULL, AT(trigger.held)},

	{"control_clients", "Clients of the control socket.", GAUGE, NUMBER,
	 OF_ALL, NULL, AT(control.clients)},
	{"control_accepted_total", "Clients that came.", COUNTER, NUMBER,
	 OF_ALL, NULL, AT(control.accepted)},
	{"control_answered_total", "Clients that were answered.", COUNTER,
	 NUMBER, OF_ALL, NULL, AT(control.answered)},
	{"control_refused_total", "Clients refused: others, or too many.",
	 COUNTER, NUMBER, OF_ALL, NULL, AT(control.refused)},
	{"control_dropped_total", "Clients dropped: slow, or no question.",
	 COUNTER, NUMBER, OF_ALL, NULL, AT(control.dropped)},
};

#define METRICS (sizeof(metrics) / sizeof(metrics[0]))

/* ---- one sample ---------------------------------------------------------- */

static uint64_t value_of(const struct metric *m, const struct facts *f)
{
	const char *at = (const char *)f + m->offset;
	uint64_t wide;
	uint32_t narrow;

	if (m->size == sizeof(bool))
		return (uint64_t)*at;
	if (m->size == sizeof(narrow)) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

/* Exactly, however large. */
static void put_value(struct buf *b, uint64_t v, enum metric_unit unit)
{
	buf_u64(b, v / unit);
	if (unit != NUMBER) {
		buf_putc(b, '.');
		buf_u64_width(b, v % unit, unit == NS ? 9 : 6);
	}
	buf_putc(b, '\n');
}

/* The format has three escapes, and takes UTF-8 alone. */
static void put_text(struct buf *b, const char *s)
{
	size_t len = strlen(s);
	unsigned n;
	uint32_t cp;

	for (; len; s += n, len -= n) {
		n = utf8_next((const uint8_t *)s, len, &cp);
		if (*s == '\\' || *s == '"')
			buf_putc(b, '\\');
		if (*s == '\n')
			buf_puts(b, "\\n");
		else if (n)
			buf_put(b, s, n);
		else
			buf_putc(b, '?');
		n = n ? n : 1;
	}
}

/* @first: true when it has none before. */
static void put_label(struct buf *b, bool first, const char *name,
		      const char *text)
{
	buf_printf(b, "%s%s=\"", first ? "" : ",", name);
	put_text(b, text);
	buf_putc(b, '"');
}

static void put_labels(struct buf *b, const struct metric *m,
		       const struct facts *f)
{
	if (m->of == OF_BUILD) {
		put_label(b, true, "version", WEIR_VERSION);
		put_label(b, false, "name", f->health->name);
	}
	if (m->of == OF_SOURCE)
		put_label(b, true, "source", f->source.info.name);
	if (m->of == OF_TRIGGER) {
		buf_printf(b, "trigger=\"%u\"", f->trigger_index + 1);
		put_label(b, false, "on", trigger_text(f->trigger_is));
	}
	if (m->label)
		buf_printf(b, "%s%s", m->of == OF_ALL ? "" : ",", m->label);
}

static void put_sample(struct buf *b, const struct metric *m,
		       const struct facts *f)
{
	bool labelled = m->label || m->of == OF_BUILD || m->of == OF_SOURCE ||
			m->of == OF_TRIGGER;

	buf_printf(b, "weir_%s", m->name);
	if (labelled) {
		buf_putc(b, '{');
		put_labels(b, m, f);
		buf_putc(b, '}');
	}
	buf_putc(b, ' ');
	put_value(b, value_of(m, f), m->unit);
}

/* ---- all of them --------------------------------------------------------- */

static void put_head(struct buf *b, const struct metric *m)
{
	if (m->help)
		buf_printf(b, "# HELP weir_%s %s\n# TYPE weir_%s %s\n", m->name,
			   m->help, m->name,
			   m->type == COUNTER ? "counter" : "gauge");
}

static void put_sources(struct buf *b, const struct metric *m, struct facts *f)
{
	unsigned i;

	for (i = 0; health_source(f->health->recorder, i, &f->source); i++) {
		f->one_in = 1ULL << f->status.shed_log2[i];
		f->ring_used = f->status.ring_used[i];
		put_sample(b, m, f);
	}
}

static void put_triggers(struct buf *b, const struct metric *m, struct facts *f,
			 const struct flight *flight)
{
	unsigned i;

	for (i = 0; (f->trigger_is = flight_trigger_at(flight, i)); i++) {
		f->trigger_index = i;
		trigger_stats(f->trigger_is, &f->trigger);
		put_sample(b, m, f);
	}
}

static void put_metric(struct buf *b, const struct metric *m, struct facts *f,
		       const struct flight *flight)
{
	const struct budget_limit *budget = &f->status.budget;
	bool has_none = (m->of == OF_BUDGET && !budget->ppm &&
			 !budget->bytes) ||
			(m->of == OF_ARCHIVE && !f->health->into[0]) ||
			(m->of == OF_WINDOW && !flight) ||
			(m->of == OF_TRIGGER &&
			 (!flight || !flight_trigger_at(flight, 0)));

	if (has_none)
		return;
	put_head(b, m);
	if (m->of == OF_SOURCE)
		put_sources(b, m, f);
	else if (m->of == OF_TRIGGER)
		put_triggers(b, m, f, flight);
	else
		put_sample(b, m, f);
}

void metrics_text(struct buf *b, const struct health *h)
{
	const struct flight *flight = recorder_flight_of(h->recorder);
	struct facts f = {.health = h, .one = 1, .control = h->server};
	size_t i;

	recorder_status(h->recorder, &f.status);
	f.control_cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
	f.started_ns = f.status.started_ns + (uint64_t)clock_wall_offset();
	f.running_ns = clock_now() - f.status.started_ns;
	f.archive_errno = -f.status.archive_error;
	if (flight)
		flight_stats(flight, &f.flight);
	for (i = 0; i < METRICS; i++)
		put_metric(b, &metrics[i], &f, flight);
}
