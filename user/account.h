/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.h - where every event went: one row for each source and CPU.
 *
 * The equations (checked by `weir verify` and the tests):
 *   occurred  = attempted + missed
 *   attempted = submitted + filtered + shed + lost_kernel
 *   submitted = delivered                     (nothing left in the ring)
 *   delivered = kept + rejected + lost_main + lost_archive
 * The kernel's own counters are the truth for the first two lines; the rest
 * is counted where it happens. A row is written by several threads, each its
 * own fields, by relaxed atomic stores, and read by anybody, as account_read()
 * does. All counters are of events, since the run of the recorder began, which
 * goes on where another one takes over (resume.h).
 */
#ifndef WEIR_ACCOUNT_H
#define WEIR_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_ANY_CPU UINT32_MAX

/* As on disk (archive_format.h): append only. */
struct account_row {
	char source[16]; /* ended by a NUL */
	uint32_t cpu;	 /* ACCOUNT_ANY_CPU: not told apart */
	uint32_t zero;
	uint64_t submitted;    /* kernel: handed over (repo: written) */
	uint64_t filtered;     /* kernel: refused by a filter */
	uint64_t shed;	       /* kernel: refused by the budget */
	uint64_t lost_kernel;  /* kernel: its mini-buffer was full */
	uint64_t missed;       /* kernel: program skipped, any CPU's row only */
	uint64_t delivered;    /* aggregator: taken from the mini-buffer */
	uint64_t lost_main;    /* aggregator: the main ring was full */
	uint64_t late;	       /* aggregator: delivered after its turn */
	uint64_t rejected;     /* repo: refused by the filter in user space */
	uint64_t context;      /* repo: of those, archived for their state */
	uint64_t kept;	       /* repo: archived, or shown */
	uint64_t lost_archive; /* archive: could not be written; repo: no event
				*/
};

/**
 * account_read - copy a row that others may be writing
 *
 * What is counted later is read first, so the copy keeps the equations as far
 * as they hold while recording (account_check(), not final).
 */
void account_read(struct account_row *to, const struct account_row *from);

/**
 * account_snapshot - copy rows that others go on writing
 * @refresh: brings the kernel's counters in @from up to date
 *
 * Events go on being delivered while the kernel is asked. So what is counted
 * after the kernel is copied before @refresh and the kernel's part after it.
 */
void account_snapshot(struct account_row *to, const struct account_row *from,
		      size_t count, void (*refresh)(void *arg), void *arg);

/** account_lost - Return: all that @r lost after it was attempted: in the
 * mini-buffer, at the main ring, in the archive. What was missed is apart. */
uint64_t account_lost(const struct account_row *r);

/** account_add - add the counters of @from to @to (names are kept). Not for
 * rows that others write: account_read() those first. */
void account_add(struct account_row *to, const struct account_row *from);

/**
 * account_check - do the equations hold?
 * @final: recording has ended, nothing may be under way
 *
 * While recording later stages may be behind, never ahead. What occurred and
 * what was attempted are not checked, for they are sums of the others. Return:
 * 0; -EBADMSG and in @why (static text) which does not.
 */
int account_check(const struct account_row *r, int final, const char **why);

/* Which row is of a source and CPU, of rows that a file may say anything of.
 * Zeroed: of none. */
struct account_map {
	uint32_t *slot; /* number of a row, from 1; 0: free */
	size_t slots;	/* a power of two */
	size_t count;
	uint64_t seed; /* or a file could choose what falls into one slot */
};		       /* numbers, not pointers: the array of rows may move */

#define ACCOUNT_NO_ROW SIZE_MAX

/** account_map_find - Return: the row of @rows that is of the source and CPU of
 * @like; ACCOUNT_NO_ROW: none that was added. */
size_t account_map_find(const struct account_map *m,
			const struct account_row *rows,
			const struct account_row *like);

/** account_map_add - @rows[@i], of whose source and CPU there is none yet.
 * Return: 0; -ENOMEM. */
int account_map_add(struct account_map *m, const struct account_row *rows,
		    size_t i);

/** account_map_done - empty it. */
void account_map_done(struct account_map *m);

#endif
