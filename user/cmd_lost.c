// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_lost.c - what a recording lost, in words; see cmd_capture.h.
 */
#include <string.h>

#include "cmd_capture.h"

struct stage {
	const char *name, *remedy;
	uint64_t (*count)(const struct account_row *row);
};

static uint64_t at_hook(const struct account_row *r)
{
	return r->missed;
}

static uint64_t at_kernel(const struct account_row *r)
{
	return r->lost_kernel;
}

static uint64_t at_main(const struct account_row *r)
{
	return r->lost_main;
}

static uint64_t at_archive(const struct account_row *r)
{
	return r->lost_archive;
}

#define FEWER "fewer events: -s, -e"

static const struct stage stages[] = {
	{"at the hook", "the kernel did not run weir's program for them",
	 at_hook},
	{"in the kernel's buffers", "try a larger --buffer, or " FEWER,
	 at_kernel},
	{"in the main ring", "try a larger --main-ring, or " FEWER, at_main},
	{"on the way to the disk", "is it full, or too slow? else " FEWER,
	 at_archive},
};

#define STAGES (sizeof(stages) / sizeof(stages[0]))

/* One stage: which sources lost how many there. */
static uint64_t say_stage(const struct stage *stage,
			  const struct account_row *rows, size_t count)
{
	struct account_row sum;
	struct buf list = {0};
	uint64_t n, total = 0;
	size_t i = 0;

	while (i < count) {
		sum = rows[i++];
		while (i < count && !strcmp(rows[i].source, sum.source))
			account_add(&sum, &rows[i++]);
		n = stage->count(&sum);
		total += n;
		if (n)
			buf_printf(&list, "%s%s %llu", list.len ? ", " : "",
				   sum.source, (unsigned long long)n);
	}
	if (total)
		say("lost %llu events %s: %.*s (%s)", (unsigned long long)total,
		    stage->name, (int)list.len, list.data ? list.data : "",
		    stage->remedy);
	buf_done(&list);
	return total;
}

uint64_t capture_lost(struct capture *c)
{
	const struct account_row *rows;
	size_t i, count = recorder_account(c->recorder, &rows);
	uint64_t lost = 0;

	for (i = 0; i < STAGES; i++)
		lost += say_stage(&stages[i], rows, count);
	return lost;
}
