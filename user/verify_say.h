/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_say.h - the lines in which `weir verify` tells what it finds:
 * file, offset, what, and what it costs.
 */
#ifndef WEIR_VERIFY_SAY_H
#define WEIR_VERIFY_SAY_H

#include "archive_list.h"

struct verify_say {
	void (*fn)(void *arg, const char *line); /* or NULL */
	void *arg;
	const struct archive_file *file; /* the one being checked */
	struct buf line;		 /* owned by who has the struct */
};

/** verify_say_begin, verify_say_end - a line; what is between appends to
 * s->line. @offset: in the file, bytes. Nothing in it is escaped: that is up to
 * who prints. Where there is no memory for it, nothing is said. */
void verify_say_begin(struct verify_say *s, uint64_t offset);
void verify_say_end(struct verify_say *s);

/** verify_say - a whole line, of 255 bytes at most after the offset. */
void verify_say(struct verify_say *s, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** verify_say_cost - append what a frame that cannot be used would have held:
 * its type, and how many events from when to when (UTC by the segment's head).
 */
void verify_say_cost(struct verify_say *s, const struct frame *f);

#endif
