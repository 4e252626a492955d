// SPDX-License-Identifier: BSD-2-Clause
#include "aggregator_marks.h"

#include <errno.h>
#include <stdlib.h>

int marks_init(struct marks *m, unsigned inputs, unsigned rows)
{
	struct mark_slot *s;

	m->rows = rows;
	for (s = m->slot; s < m->slot + MARKS; s++) {
		s->pos = calloc(inputs + 1, sizeof(*s->pos));
		s->mark.row = calloc(rows + 1, sizeof(*s->mark.row));
		if (!s->pos || !s->mark.row)
			return -ENOMEM;
	}
	return 0;
}

void marks_done(struct marks *m)
{
	struct mark_slot *s;

	for (s = m->slot; s < m->slot + MARKS; s++) {
		free(s->pos);
		free(s->mark.row);
		buf_done(&s->mark.rings);
	}
	*m = (struct marks){0};
}

struct mark_slot *marks_slot(struct marks *m)
{
	if (m->last - m->seen >= MARKS)
		return NULL;
	return &m->slot[(m->last + 1) % MARKS];
}

/*
 * Whoever settles a mark has said before whether it was written: so of those
 * up to @seen none is written that is not freed here, and their slots may be
 * used again.
 */
const struct mark_slot *marks_written(struct marks *m)
{
	uint64_t written;

	m->seen = __atomic_load_n(&m->settled, __ATOMIC_ACQUIRE);
	written = __atomic_load_n(&m->written, __ATOMIC_RELAXED);
	if (written == m->freed)
		return NULL;
	m->freed = written;
	return &m->slot[written % MARKS];
}

void marks_settle(struct marks *m, uint64_t settled, uint64_t written)
{
	__atomic_store_n(&m->written, written, __ATOMIC_RELAXED);
	__atomic_store_n(&m->settled, settled, __ATOMIC_RELEASE);
}
