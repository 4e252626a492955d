/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_lines.h - what the sinks that write one line for each event share.
 *
 * Lines gather in a buffer that is written out when it holds LINES_FLUSH
 * bytes and at each tick, always whole lines. After a write failed nothing is
 * written any more: a stream with a hole in it is worse than one that ends.
 * Each later event is refused with the error of that write.
 */
#ifndef WEIR_SINK_LINES_H
#define WEIR_SINK_LINES_H

#include "sink.h"

#define LINES_FLUSH (64 << 10)

struct lines {
	struct sink sink; /* first: a struct sink * is one of these */
	struct buf buf;
	const struct render *render;
	struct csv *csv; /* sink_csv.c only; owned */
	int fd;
	int err; /* of the first write that failed */
};

/** lines_new - Return: 0; -ENOMEM. Closed by its ops->close. */
int lines_new(struct sink **ret, const struct sink_ops *ops,
	      const struct render *render, int fd);

/**
 * lines_flush - write out when @at_least bytes wait
 * Return: 0; -errno of write(2), now or earlier; -ENOMEM a line was lost.
 */
int lines_flush(struct lines *l, size_t at_least);

/** lines_tick, lines_close - as in struct sink_ops. */
int lines_tick(struct sink *s, uint64_t mono_ns);
int lines_close(struct sink *s);

#endif
