/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast.h - a pass over the columns of an archive that answers a question
 * taken apart by fast_query.h: groups, or the rows that may be asked for.
 *
 * The rows are those of a scan by rows (sql_scan.c) in the same order, and
 * what is known of their tasks is the same. Memory is bounded by that of a
 * block for each thread, and FAST_AGG_BYTES, FAST_TEXT_BYTES. Thread: one;
 * fast_groups() starts others, and ends them.
 */
#ifndef WEIR_FAST_H
#define WEIR_FAST_H

#include <signal.h>

#include "fast_agg.h"
#include "select.h"

/* Which blocks, and which rows apart from the conditions. */
struct fast_range {
	uint64_t from_ns, to_ns;	   /* monotonic, half-open */
	struct select select;		   /* without a filter */
	const volatile sig_atomic_t *stop; /* when set: -EINTR; or NULL */
	unsigned jobs; /* threads, FAST_JOBS_MAX at most; 0: as many as pay */
};

#define FAST_JOBS_MAX 64

struct fast;

/**
 * fast_pays - is an archive one of those whose columns can be passed over, and
 * are worth it?
 */
bool fast_pays(const struct archive_info *i);

/**
 * fast_open - begin a pass
 * @a, @q: borrowed; what @range points to, too
 * @used:  of rows: columns that will be asked for, by index; NULL: groups
 * Return: 0; -ENOMEM.
 */
int fast_open(struct fast **ret, struct archive *a, const struct fast_query *q,
	      const struct fast_range *range, const bool *used);
void fast_close(struct fast *f); /* NULL-safe */

/**
 * fast_groups - make the groups, in order
 * @ret: lives as long as @f
 *
 * They are the same however many threads make them. Once for each pass.
 * Return: 0; -EBADMSG the same, but parts of the archive were damaged and left
 * out; -EOPNOTSUPP this must be asked of rows; -EINTR; -ENOMEM, -errno of
 * read(2).
 */
int fast_groups(struct fast *f, const struct fast_groups **ret);

/**
 * fast_pass - fast_open() and fast_groups()
 * @ret: also when some of the archive is damaged
 *
 * With one thread, where several have no room. Return: as these.
 */
int fast_pass(struct fast **ret, struct archive *a, const struct fast_query *q,
	      const struct fast_range *range,
	      const struct fast_groups **groups);

/**
 * fast_next - the next row that may pass, joined; valid until the next call
 *
 * Not all that come do: who asks tests again.
 * Return: 1; 0 at the end; -EBADMSG at the end as above; -EOPNOTSUPP ask rows
 * from fast_position() on; -EINTR; -ENOMEM; -errno of read(2). The end, and an
 * error, come again at each further call.
 */
int fast_next(struct fast *f, struct event *ret);

/**
 * fast_task - who a tid was at the last row; for columns that were used
 * Return: the task, valid until the next call; NULL: unknown, or nobody was to
 * ask.
 */
const struct task *fast_task(struct fast *f, uint32_t tid);

/** fast_position - the block at hand, as archive_iter_frame(). */
uint64_t fast_position(const struct fast *f);

/** fast_row - the last row, as archive_iter_position(). Return: 0; -ENOMEM;
 * errors of columns.h. */
int fast_row(struct fast *f, uint64_t *ret);

/** fast_wall_offset - of the last row: realtime - monotonic, ns. */
int64_t fast_wall_offset(const struct fast *f);

/** fast_text_of - a text of a key or an aggregate, by its number, which is
 * not checked; lives as long as @f. 0 is NULL. */
const struct fast_text *fast_text_of(const struct fast *f, int64_t number);

#endif
