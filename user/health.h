/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.h - how a running recorder is, as text and as JSON: `weir status`.
 * Thread: the control thread.
 */
#ifndef WEIR_HEALTH_H
#define WEIR_HEALTH_H

#include "json.h"
#include "recorder.h"
#include "server.h"

#define HEALTH_SNAPSHOTS 8 /* told of: the last ones */

/* All is borrowed for the call. */
struct health {
	struct recorder *recorder;
	const char *name;    /* of the recorder */
	const char *into;    /* its archive, or "" */
	const char *command; /* that is recorded, or "" */
	struct server_stats server;
	struct snapshot_result *snapshots; /* [@snapshot_count], as ended */
	unsigned snapshot_count;
};

/* A source with the sum of its rows. */
struct source_health {
	struct source_info info;
	struct account_row row; /* the kernel's part up to a second old */
	uint64_t attempted;	/* as of account.h */
};

/** health_source - the @i-th as it is now. Return: false: there are not so
 * many. */
bool health_source(const struct recorder *r, unsigned i,
		   struct source_health *ret);

/**
 * health_json - one object and a newline
 *
 * Times are ns since the epoch, spans ns, sizes bytes; what there is not
 * (window, archive, budget) has no key.
 */
void health_json(struct buf *b, const struct health *h);

/** health_text - for people: a table, one of the sources, a line for each
 * snapshot. Escaped for a terminal. */
void health_text(struct buf *b, const struct health *h);

/** health_snapshot_json, health_snapshot_text - what became of one: an object,
 * or a line with its end. */
void health_snapshot_json(struct json *j, const struct snapshot_result *r);
void health_snapshot_text(struct buf *b, const struct snapshot_result *r);

#endif
