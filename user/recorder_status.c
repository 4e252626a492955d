// SPDX-License-Identifier: BSD-2-Clause
/*
 * recorder_status.c - what a recorder tells of itself: asked from any thread.
 */
#include <string.h>

#include "clock.h"
#include "recorder_internal.h"
#include "self.h"

/* With nothing waiting for it the repo is not behind, however long ago the
 * last event was. */
static void ring_status(struct recorder *r, struct recorder_status *ret,
			uint64_t stream_ns)
{
	struct ring_stats ring;
	uint64_t now = clock_now();

	ring_consumer_stats(r->main_c, &ring);
	ret->started_ns = r->started_ns;
	ret->main_bytes = ring.size;
	ret->main_used = ring.used;
	if (ring.used && stream_ns && stream_ns < now)
		ret->lag_ns = now - stream_ns;
}

void recorder_status(struct recorder *r, struct recorder_status *ret)
{
	struct aggregator_stats as = {0};
	struct repo_stats rs = {0};

	memset(ret, 0, sizeof(*ret));
	if (!r->repo)
		return;
	aggregator_stats(r->aggregator, &as);
	aggregator_used(r->aggregator, ret->ring_used);
	repo_stats(r->repo, &rs);
	ret->events = rs.events;
	ret->bytes = rs.bytes;
	ret->lost = rs.lost;
	ret->late = as.late;
	ret->rounds = rs.ticks < as.wakeups ? rs.ticks : as.wakeups;
	ret->stalls = as.stalls;
	ret->woken = as.woken;
	ret->cpu_aggregator_ns = aggregator_cpu_ns(r->aggregator);
	ret->cpu_repo_ns = repo_cpu_ns(r->repo);
	ret->cpu_ns = self_cpu_ns();
	ret->bpf_ppm = rs.bpf_ppm;
	ret->bpf_ns = (clock_now() - r->started_ns) / 1000000 * rs.bpf_ppm;
	ret->rss_bytes = self_rss();
	ret->tasks = rs.tasks;
	ret->retired = rs.retired;
	ret->sink_error = (int)rs.sink_error;
	ret->archive_bytes = rs.archive_bytes;
	ret->archive_segments = rs.archive_segments;
	ret->archive_events = rs.archive_events;
	ret->archive_error = (int)rs.archive_error;
	ret->budget = r->o.budget;
	ret->cost_ppm = rs.cost_ppm;
	ret->written_bps = rs.written_bps;
	memcpy(ret->shed_log2, rs.shed_log2, sizeof(ret->shed_log2));
	ring_status(r, ret, rs.stream_ns);
	if (r->flight)
		window_stats(flight_window(r->flight), &ret->window);
}

size_t recorder_rows(const struct recorder *r, const struct account_row **ret)
{
	size_t count;

	*ret = sources_rows(r->sources, &count);
	return count;
}

static void ask_kernel(void *sources)
{
	sources_account(sources);
}

size_t recorder_account(struct recorder *r, const struct account_row **ret)
{
	const struct account_row *rows;
	size_t count;

	rows = sources_rows(r->sources, &count);
	account_snapshot(r->account, rows, count, ask_kernel, r->sources);
	*ret = r->account;
	return count;
}
