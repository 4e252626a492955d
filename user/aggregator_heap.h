/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregator_heap.h - the merge: of the inputs that have an event to pass on,
 * the one whose event is the oldest.
 *
 * A binary heap by the time of each input's first event. Belongs to the
 * aggregator's thread; for aggregator.c only.
 */
#ifndef WEIR_AGGREGATOR_HEAP_H
#define WEIR_AGGREGATOR_HEAP_H

#include "aggregator_input.h"

struct heap {
	struct input **input; /* has room for all; the first is the oldest */
	unsigned count;
};

/** heap_build - of the @count inputs those with an event before @watermark,
 * monotonic ns; in time linear in @count */
void heap_build(struct heap *h, struct input *const *inputs, unsigned count,
		uint64_t watermark);

/** heap_taken - after input_take() of the first: the next one is the first, or
 * it is empty. O(log count). */
void heap_taken(struct heap *h, uint64_t watermark);

#endif
