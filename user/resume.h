/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resume.h - how a recorder goes on where another one was killed: the protocol
 * of `record --pin`.
 *
 * The programs and the mini-buffers are pinned, so they go on when the recorder
 * dies. A record stays in its mini-buffer until it is in the archive: the
 * aggregator moves the consumer's position only up to what is known to be
 * written. From time to time, between two events, it puts a mark into the main
 * ring; when that comes out, the archive's block ends there, and is written
 * with it: where in each mini-buffer the event stands after which nothing has
 * been passed on, which few above were passed on already (records are not quite
 * in order of time), and the account as of then. Both are in one file, and a
 * mark holds only if its block is whole. So the last one that holds is, at any
 * instant, exactly what the archive has: the successor walks the mini-buffers
 * from there, and no event is lost or taken twice.
 *
 * What gap events have told is part of the mark as well, for what a recorder
 * had learnt of losses and not yet written died with it. The table of tasks is
 * made from the archive's last segment, which has all that the mark has.
 *
 * While a recorder is dead the mini-buffers must hold what comes; while it is
 * alive, what it has not written. A mark is made when one has filled by an
 * eighth since the last, when a block is full, and once a second.
 *
 * Here: the bytes of a mark, archive_mark.data. They come back from a file that
 * may be another user's: resume_parse() believes no size, and who uses a
 * position checks it (aggregator_resume()).
 */
#ifndef WEIR_RESUME_H
#define WEIR_RESUME_H

#include <stddef.h>
#include <stdint.h>

#include "archive_resume.h"
#include "buf.h"
#include "tasks.h"

#define RESUME_VERSION 1

/* Of one mini-buffer. */
struct resume_ring {
	uint64_t pos;	       /* all records below have been passed on */
	const uint64_t *above; /* and these few, by position, in order */
	uint32_t count;
};

/* Of one row of the account and one stage (enum weir_stage; none: shed). */
struct resume_told {
	uint64_t count; /* losses that events in the archive tell of */
	uint64_t until; /* those before that time, monotonic ns */
};

/*
 * resume_put_begin, resume_put_ring, resume_put_told - make a mark's bytes: in
 * this order, begin, @rings times a ring, the rows. Little-endian numbers of 64
 * bits, but version and rings, which are two of 32. buf_err() tells of memory.
 */
void resume_put_begin(struct buf *to, uint64_t passed_ns, uint32_t rings);
void resume_put_ring(struct buf *to, const struct resume_ring *r);
void resume_put_told(struct buf *to, const struct resume_told *told,
		     uint32_t count);

/* A mark, read. */
struct resume {
	uint64_t passed_ns; /* time of the last event passed on, monotonic */
	struct resume_ring *ring; /* owned; what these point to is not */
	uint32_t rings;
	const struct resume_told *told; /* in the mark's bytes */
	uint32_t told_count;
};

/**
 * resume_parse - read a mark's bytes
 * @data: 8-aligned; what @ret has points into them
 * Positions above are ascending, and above .pos: all else about them is for who
 * knows the rings. Return: 0, to be freed by resume_done(); -EBADMSG shorter or
 * longer than it says; -EPROTONOSUPPORT made by another version; -ENOMEM.
 */
int resume_parse(struct resume *ret, const void *data, size_t len);
void resume_done(struct resume *r); /* zeroed: no-op */

/* What archive_resume_find() found, kept. */
struct resume_kept {
	struct resume at; /* points into @bytes; .ring NULL: there was none */
	struct buf bytes;
	struct account_row *rows;
	size_t count;
};

/** resume_keep - @k zeroed; copies of all of @from. Return: 0; as
 * resume_parse(). resume_forget() in any case. */
int resume_keep(struct resume_kept *k, const struct archive_resume *from);
void resume_forget(struct resume_kept *k);

/**
 * resume_tasks - make the table of tasks as it is at the end of a segment
 * @t:       empty
 * @dir:     the archive's, borrowed
 * @segment: file in it
 *
 * Reads /proc/self/fd. Return: 0, also if some of it is damaged: what is alive
 * is told once more; -EXDEV its schema is another; errors of archive_open();
 * -ENOMEM.
 */
int resume_tasks(struct tasks *t, const struct schema *schema, int dir,
		 const char *segment);

#endif
