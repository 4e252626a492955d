// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_capture_say.c - what a recording says of itself while it runs; see
 * cmd_capture.h.
 */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_capture.h"
#include "progress.h"

void capture_clear_status(const struct capture *c)
{
	if (c->shows_status &&
	    write(STDERR_FILENO, PROGRESS_WIPE, strlen(PROGRESS_WIPE)) < 0)
		return; /* nowhere to tell */
}

void capture_said(void *capture, const struct snapshot_result *r)
{
	const struct capture *c = capture;
	struct buf b = {0};

	if (c->args->quiet && !r->err)
		return;
	capture_clear_status(c);
	health_snapshot_text(&b, r);
	if (!buf_err(&b))
		say("%.*s", (int)b.len - 1, b.data);
	buf_done(&b);
}

static uint64_t per_second(uint64_t now, uint64_t before, uint64_t ns)
{
	return (uint64_t)((double)(now - before) * (double)NS_PER_S /
			  (double)(ns ? ns : 1));
}

/* Cost in percent of one CPU, kernel and user space. */
static double cost_percent(const struct recorder_status *now,
			   const struct recorder_status *before, uint64_t ns)
{
	uint64_t cost = now->cpu_ns - before->cpu_ns;

	if (now->bpf_ns > before->bpf_ns)
		cost += now->bpf_ns - before->bpf_ns;
	return 100.0 * (double)cost / (double)(ns ? ns : 1);
}

static void put_budget(struct buf *b, const struct recorder_status *s)
{
	unsigned i;

	if (!s->budget.ppm && !s->budget.bytes)
		return;
	buf_printf(b, "  budget %.1f%%", (double)s->cost_ppm / 1e4);
	if (s->budget.ppm)
		buf_printf(b, " of %.1f%%", (double)s->budget.ppm / 1e4);
	for (i = 0; i < SOURCES_MAX; i++)
		if (s->shed_log2[i]) {
			buf_puts(b, ", sheds");
			break;
		}
}

void capture_show_status(struct capture *c, uint64_t now, uint64_t since)
{
	struct recorder_status s;
	struct buf b = {0};

	recorder_status(c->recorder, &s);
	render_ns(&b, (now - c->started_ns) / NS_PER_S * NS_PER_S);
	buf_printf(&b, "  %llu events/s  ",
		   (unsigned long long)per_second(s.events, c->last.events,
						  since));
	render_bytes(&b, per_second(s.bytes, c->last.bytes, since));
	buf_printf(&b, "/s  lost %llu  cost %.1f%% of a CPU, ",
		   (unsigned long long)s.lost,
		   cost_percent(&s, &c->last, since));
	render_bytes(&b, s.rss_bytes);
	put_budget(&b, &s);
	if (s.window.bytes) {
		buf_puts(&b, "  window ");
		render_ns(&b, s.window.reach_ns);
	}
	if (!buf_err(&b))
		progress_line(STDERR_FILENO, b.data, b.len);
	buf_done(&b);
	c->last = s;
}

void capture_say_sources(const struct capture *c, const char *into)
{
	const struct sources *all = recorder_sources(c->recorder);
	struct source_info info;
	struct buf on = {0}, took = {0};
	unsigned i;

	for (i = 0; i < sources_count(all); i++) {
		sources_info(all, i, &info);
		if (info.on && info.programs)
			buf_printf(&on, "%s%s", on.len ? ", " : "", info.name);
		if (info.wanted && info.why[0])
			say("source '%s' is %s: %s", info.name,
			    info.on ? "on in part" : "off", info.why);
	}
	if (!c->args->quiet)
		pinning_say(&c->pinning, c->begun_ns);
	render_ns(&took, c->started_ns - c->begun_ns);
	if (!c->args->quiet)
		say("capturing %.*s%s (ready after %.*s)%s", (int)on.len,
		    on.data ? on.data : "", into, (int)took.len,
		    took.data ? took.data : "",
		    c->command || c->args->for_ns ? "" : "; Ctrl-C ends it");
	buf_done(&on);
	buf_done(&took);
}
