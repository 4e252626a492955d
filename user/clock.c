// SPDX-License-Identifier: BSD-2-Clause
#include "clock.h"

int64_t clock_wall_offset(void)
{
	uint64_t best = UINT64_MAX, before, real, after;
	int64_t offset = 0;
	int i;

	for (i = 0; i < 8; i++) {
		before = clock_now();
		real = clock_read(CLOCK_REALTIME);
		after = clock_now();
		if (after - before >= best)
			continue;
		best = after - before;
		offset = (int64_t)(real - (before + best / 2));
	}
	return offset;
}
