/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_hist.h - the histograms of `weir hist`, and how they are counted: on
 * columns where these tell the same as rows, else by rows.
 */
#ifndef WEIR_CMD_HIST_H
#define WEIR_CMD_HIST_H

#include "hist.h"
#include "replay.h"
#include "sql_column.h"

#define HIST_GROUPS 1000 /* further values are counted together */
#define HIST_SLOTS  4096 /* a power of two */

struct group {
	char *name; /* owned; of the value split by; not escaped */
	size_t len; /* of it */
	struct hist hist;
};

struct distribution {
	struct replay r;
	const char *field, *by; /* as typed, borrowed; by or NULL */
	/* by kind */
	struct sql_columns columns[SCHEMA_KINDS_MAX];
	const struct sql_column *value_of[SCHEMA_KINDS_MAX];
	const struct sql_column *name_of[SCHEMA_KINDS_MAX];
	enum meaning meaning; /* of the values of all kinds, or NONE */
	struct group *group;
	size_t count;
	uint16_t slot[HIST_SLOTS]; /* groups by hash of their name, plus one */
	uint64_t negative;
	struct buf name, scratch, out;
};

/**
 * distribution_count - make the groups
 * @d: value_of, name_of and the selection tell of what
 * Return: as replay_each(), which also says what is missing.
 */
int distribution_count(struct distribution *d);

/** distribution_forget - free the groups. */
void distribution_forget(struct distribution *d);

#endif
