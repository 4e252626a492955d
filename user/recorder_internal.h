/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder_internal.h - what recorder.c and recorder_status.c share. Not for
 * others.
 */
#ifndef WEIR_RECORDER_INTERNAL_H
#define WEIR_RECORDER_INTERNAL_H

#include "../ring/ring.h"
#include "aggregator.h"
#include "recorder.h"
#include "repo.h"

/*
 * What is set before recorder_start() is read by all from then on, but tasks,
 * which is the repo's. Owned, if not said otherwise, and freed in the order
 * that recorder_free() has: who uses something goes before it.
 */
struct recorder {
	struct recorder_options o;
	struct sources *sources;
	struct tasks *tasks; /* the repo's thread only, from start to stop */
	struct render render;
	struct select select;
	bool vital[SCHEMA_KINDS_MAX]; /* without them nothing has a name */
	struct sink *sinks[REPO_SINKS_MAX]; /* until the repo has them */
	unsigned sink_count;
	struct archive_writer *archive; /* borrowed: a sink's; or NULL */
	struct flight *flight;
	struct trigger *triggers[TRIGGERS_MAX];
	unsigned trigger_count;
	/* main: aggregator to repo; own: what the repo itself has to tell */
	struct ring_producer *main_p, *own_p;
	struct ring_consumer *main_c, *own_c;
	int notify_fd; /* eventfd: something is in main; -1: none yet */
	struct aggregator *aggregator;
	struct repo *repo;
	struct account_row *account; /* what recorder_account() gave out */
	bool takes;		     /* what is pinned */
	struct resume_kept resume;
	uint64_t needed;     /* segment with it */
	uint64_t started_ns; /* monotonic, when all was attached; 0 */
};

#endif
