// SPDX-License-Identifier: BSD-2-Clause
#include "aggregator_heap.h"

static bool earlier(const struct input *x, const struct input *y)
{
	return input_ts(x) < input_ts(y);
}

static void sift_down(struct heap *h, unsigned i)
{
	struct input **v = h->input, *top = v[i];
	unsigned child;

	while ((child = 2 * i + 1) < h->count) {
		if (child + 1 < h->count && earlier(v[child + 1], v[child]))
			child++;
		if (!earlier(v[child], top))
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = top;
}

void heap_build(struct heap *h, struct input *const *inputs, unsigned count,
		uint64_t watermark)
{
	unsigned i;

	h->count = 0;
	for (i = 0; i < count; i++) {
		if (input_has_before(inputs[i], watermark))
			h->input[h->count++] = inputs[i];
	}
	for (i = h->count / 2; i-- > 0;)
		sift_down(h, i);
}

void heap_taken(struct heap *h, uint64_t watermark)
{
	if (!input_has_before(h->input[0], watermark))
		h->input[0] = h->input[--h->count];
	if (h->count)
		sift_down(h, 0);
}
