// SPDX-License-Identifier: BSD-2-Clause
#include "columns_place.h"

#include <errno.h>
#include <string.h>

/* Times, or what late rows are merged at. */
static int merge_keys(struct columns *c, const uint64_t **ret)
{
	uint64_t n = c->head.late, i, *row, *by, *key;
	int err;

	*ret = c->ts;
	if (!n)
		return 0;
	row = pool_alloc(&c->block, n, sizeof(*row));
	by = pool_alloc(&c->block, n, sizeof(*by));
	key = pool_alloc(&c->block, c->head.rows, sizeof(*key));
	if (!row || !by || !key)
		return -ENOMEM;
	err = read_stream(c, COMMON_LATE_ROW, row, n);
	if (!err)
		err = read_stream(c, COMMON_LATE_BY, by, n);
	memcpy(key, c->ts, c->head.rows * sizeof(*key));
	for (i = 0; i < n && !err; i++) {
		if (row[i] >= c->head.rows)
			return -EBADMSG;
		key[row[i]] += by[i];
	}
	*ret = key;
	return err;
}

static int read_picks(struct columns *c, uint64_t **ret_at, uint64_t **ret_run)
{
	uint64_t n = c->head.picks, i;
	uint64_t *at = pool_alloc(&c->block, n + 1, sizeof(*at));
	uint64_t *run = pool_alloc(&c->block, n + 1, sizeof(*run));
	int err;

	if (!at || !run)
		return -ENOMEM;
	if (n * c->head.runs > MERGE_WORK_MAX)
		return -EBADMSG;
	err = read_stream(c, COMMON_PICK_AT, at, n);
	if (!err)
		err = read_stream(c, COMMON_PICK_RUN, run, n);
	for (i = 1; i < n && !err; i++)
		at[i] += at[i - 1];
	at[n] = UINT64_MAX;
	*ret_at = at;
	*ret_run = run;
	return err;
}

int place_begin(struct placing *p, struct columns *c)
{
	const uint64_t *key;
	int err;

	p->i = 0;
	err = merge_keys(c, &key);
	if (!err)
		err = read_picks(c, &p->pick_at, &p->pick_run);
	if (!err)
		err = merge_begin(&p->merge, &c->block, key, c->run_rows,
				  (uint32_t)c->head.runs);
	return err;
}

/* Where the merge would go wrong a run is named. */
static int place_pick(struct placing *p, uint32_t *ret)
{
	struct merge *m = &p->merge;
	uint64_t run = *p->pick_run;

	if (run >= m->runs || m->next[run] == m->end[run])
		return -EBADMSG;
	p->pick_run++;
	p->pick_at++;
	*ret = merge_take(m, (uint32_t)run);
	return 0;
}

int place_next(struct placing *p, uint32_t *ret, uint32_t *ret_count)
{
	if (p->i == *p->pick_at) {
		p->i++;
		*ret_count = 1;
		return place_pick(p, ret);
	}
	*ret_count = merge_burst(&p->merge, *p->pick_at - p->i, ret);
	p->i += *ret_count;
	return 0;
}

int columns_keys(struct columns *c, const uint64_t **ret, bool *ret_picked)
{
	int err = read_times(c);

	*ret_picked = c->head.picks != 0;
	return err ? err : merge_keys(c, ret);
}

int columns_places(struct columns *c, uint32_t *ret)
{
	struct placing p;
	uint32_t i = 0, row, n;
	int err = read_times(c);

	if (!err)
		err = place_begin(&p, c);
	while (i < c->head.rows && !err) {
		err = place_next(&p, &row, &n);
		for (; !err && n; n--)
			ret[row++] = i++;
	}
	return err;
}
