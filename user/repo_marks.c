// SPDX-License-Identifier: BSD-2-Clause
/* What the repo leaves for a successor, and finds of a predecessor: resume.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repo_internal.h"

/* ---- leaving ------------------------------------------------------------- */

/* As of the mark: what the aggregator counts has gone on since. */
static void read_rows(struct repo *r, const struct aggregator_mark *m)
{
	size_t i;

	for (i = 0; i < r->row_count; i++)
		account_read(&r->mark_rows[i], &r->rows[i]);
	for (i = 0; i < r->row_count && i < m->rows; i++) {
		r->mark_rows[i].delivered = m->row[i].delivered;
		r->mark_rows[i].lost_main = m->row[i].lost_main;
		r->mark_rows[i].late = m->row[i].late;
	}
}

void repo_mark(struct repo *r, const void *record)
{
	const struct aggregator_mark *from;
	struct archive_mark m;
	int err;

	from = aggregator_mark(r->o.aggregator, record);
	read_rows(r, from);
	buf_reset(&r->mark);
	buf_put(&r->mark, from->rings.data, from->rings.len);
	resume_put_told(&r->mark, r->told,
			(uint32_t)(r->row_count * REPO_STAGES));
	m = (struct archive_mark){
		.number = from->number,
		.rows = r->mark_rows,
		.count = r->row_count,
		.data = r->mark.data,
		.len = r->mark.len,
	};
	err = archive_mark(r->archive, &m);
	if (err)
		repo_sink_failed(r, err);
	repo_settle(r);
}

void repo_settle(struct repo *r)
{
	uint64_t settled, written;

	archive_marked(r->archive, &settled, &written);
	aggregator_settle(r->o.aggregator, settled, written);
}

/* ---- finding ------------------------------------------------------------- */

/* All that the account has lost and no gap has told of is told now. */
static void resume_stage(struct repo *r, size_t i, unsigned stage,
			 uint64_t lost)
{
	struct resume_told *t = &r->told[i * REPO_STAGES + stage];
	uint64_t now = r->o.resume->passed_ns;

	if (t->count > lost)
		t->count = lost;
	if (stage == WEIR_STAGE_MAIN_RING) {
		r->main_reported[i] = t->count;
		r->main_until[i] = t->until;
		aggregator_set_lost_span(r->o.aggregator, (unsigned)i, t->until,
					 now);
		return;
	}
	if (lost != t->count)
		r->untold[i * REPO_STAGES + stage] =
			(struct repo_untold){lost - t->count, t->until, now};
}

static void resume(struct repo *r)
{
	const struct resume *from = r->o.resume;
	const struct resume_told *t;
	size_t i;

	if (from->told_count != r->row_count * REPO_STAGES)
		return;
	memcpy(r->told, from->told, from->told_count * sizeof(*r->told));
	for (i = 0; i < r->row_count; i++) {
		t = &r->told[i * REPO_STAGES];
		sources_resume_losses(r->o.sources, i, WEIR_STAGE_HOOK,
				      t[WEIR_STAGE_HOOK].count,
				      t[WEIR_STAGE_HOOK].until);
		sources_resume_losses(r->o.sources, i, WEIR_STAGE_KERNEL_RING,
				      t[WEIR_STAGE_KERNEL_RING].count,
				      t[WEIR_STAGE_KERNEL_RING].until);
		resume_stage(r, i, WEIR_STAGE_MAIN_RING, r->rows[i].lost_main);
		resume_stage(r, i, WEIR_STAGE_ARCHIVE, r->rows[i].lost_archive);
	}
	i = r->row_of_kind[EV_GAP] + r->cpus; /* repo, any CPU */
	t = &r->told[i * REPO_STAGES + WEIR_STAGE_KERNEL_RING];
	r->own_reported = t->count;
	r->own_until = t->until;
}

int repo_marks_init(struct repo *r)
{
	if (!r->o.marks)
		return 0;
	r->told = calloc(r->row_count * REPO_STAGES, sizeof(*r->told));
	r->mark_rows = calloc(r->row_count, sizeof(*r->mark_rows));
	if (!r->told || !r->mark_rows)
		return -ENOMEM;
	if (r->o.resume)
		resume(r);
	return 0;
}

void repo_marks_done(struct repo *r)
{
	free(r->told);
	free(r->mark_rows);
	buf_done(&r->mark);
}
