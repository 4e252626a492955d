// SPDX-License-Identifier: BSD-2-Clause
#include "columns_context.h"

#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <string.h>

int read_stream(struct columns *c, uint32_t stream, uint64_t *v, size_t n)
{
	const struct stream *s = &c->stream[stream];
	struct cursor at = {c->payload + s->at, c->payload + s->at + s->len};

	return column_get(&c->packer, &s->head, &at, predict_is_signed(s->what),
			  v, n);
}

/* A common stream, into memory of the block. */
static int read_common(struct columns *c, enum common stream, uint64_t n,
		       uint64_t **ret)
{
	*ret = pool_alloc(&c->block, n, sizeof(**ret));
	return *ret ? read_stream(c, stream, *ret, n) : -ENOMEM;
}

/* ---- CPUs ---------------------------------------------------------------- */

static bool sums_to(const uint64_t *v, uint64_t n, uint64_t sum)
{
	uint64_t i;

	for (i = 0; i < n && v[i] <= sum; i++)
		sum -= v[i];
	return i == n && !sum;
}

/* Do it once. */
int read_once(struct columns *c, uint32_t what, int (*fn)(struct columns *c))
{
	int err;

	if (c->known & what)
		return 0;
	err = fn(c);
	if (!err)
		c->known |= what;
	return err;
}

static int unpack_cpus(struct columns *c)
{
	uint64_t *cpu;
	int err;

	err = read_common(c, COMMON_CPU, c->head.runs, &cpu);
	if (!err)
		err = read_common(c, COMMON_CPU_ROWS, c->head.runs,
				  &c->run_rows);
	if (err)
		return err;
	c->view.count = (uint32_t)c->head.rows;
	c->view.cpu = cpu;
	return sums_to(c->run_rows, c->head.runs, c->head.rows) ? 0 : -EBADMSG;
}

static int unpack_turns(struct columns *c)
{
	uint64_t *pid, *tid, i;
	bool bad = false;
	int err;

	err = unpack_cpus(c);
	if (!err)
		err = read_common(c, COMMON_PID, c->head.tasks, &pid);
	if (!err)
		err = read_common(c, COMMON_TID, c->head.tasks, &tid);
	if (!err)
		err = read_common(c, COMMON_TURN_TASK, c->head.turns,
				  &c->turn_task);
	if (!err)
		err = read_common(c, COMMON_TURN_ROWS, c->head.turns,
				  &c->turn_rows);
	if (err)
		return err;
	c->view.last = pool_alloc(&c->block, c->head.tasks,
				  sizeof(*c->view.last));
	if (!c->view.last)
		return -ENOMEM;
	for (i = 0; i < c->head.turns; i++)
		bad |= c->turn_task[i] >= c->head.tasks;
	c->view.tasks = (uint32_t)c->head.tasks;
	c->view.pid = pid;
	c->view.tid = tid;
	return !bad && sums_to(c->turn_rows, c->head.turns, c->head.rows)
		       ? 0
		       : -EBADMSG;
}

int read_turns(struct columns *c)
{
	return read_once(c, READ_TURNS, unpack_turns);
}

static int unpack_runs(struct columns *c)
{
	uint16_t *run = pool_alloc(&c->block, c->head.rows, sizeof(*run));
	uint64_t i, k, n;
	int err = run ? read_turns(c) : -ENOMEM;

	c->view.run = err ? NULL : run;
	for (i = 0; i < c->head.runs && !err; i++)
		for (k = 0, n = c->run_rows[i]; k < n; k++)
			*run++ = (uint16_t)i;
	return err;
}

int read_runs(struct columns *c)
{
	return read_once(c, READ_RUNS, unpack_runs);
}

/* ---- groups -------------------------------------------------------------- */

/* Of up to two bytes, as a rule: they need not become 64 bits first. */
static bool are_bytes(const struct stream *s)
{
	return s->what == PREDICT_NONE && s->head.form == FORM_PLANES &&
	       (s->head.width == 1 || s->head.width == 3) &&
	       s->head.base <= UINT16_MAX;
}

/* Return: are all of them below @end? */
static bool join_bytes(const uint8_t *low, const uint8_t *high, uint16_t *to,
		       uint64_t n, uint32_t end)
{
	__m128i last = _mm_set1_epi16((int16_t)(uint16_t)(end - 1));
	__m128i over = _mm_setzero_si128(), l, h, x;
	bool bad = false;
	uint64_t i;

	for (i = 0; i + 16 <= n; i += 16) {
		l = _mm_loadu_si128((const void *)(low + i));
		h = _mm_loadu_si128((const void *)(high + i));
		x = _mm_unpacklo_epi8(l, h);
		over = _mm_or_si128(over, _mm_subs_epu16(x, last));
		_mm_storeu_si128((void *)(to + i), x);
		x = _mm_unpackhi_epi8(l, h);
		over = _mm_or_si128(over, _mm_subs_epu16(x, last));
		_mm_storeu_si128((void *)(to + i + 8), x);
	}
	for (; i < n; i++) {
		to[i] = (uint16_t)(low[i] | high[i] << 8);
		bad |= to[i] >= end;
	}
	x = _mm_cmpeq_epi8(over, _mm_setzero_si128());
	return !bad && _mm_movemask_epi8(x) == 0xffff;
}

static int read_bytes(struct columns *c, const struct stream *s, uint16_t *to)
{
	struct cursor at = {c->payload + s->at, c->payload + s->at + s->len};
	uint64_t n = c->head.rows;
	uint8_t *low = pool_alloc(&c->block, n, 1);
	uint8_t *high = pool_alloc(&c->block, n, 1);
	int err;

	if (!low || !high)
		return -ENOMEM;
	err = chunk_get(&c->packer, &at, low, n);
	if (s->head.width == 1)
		memset(high, (int)(s->head.base >> 8), n);
	else if (!err)
		err = chunk_get(&c->packer, &at, high, n);
	if (!err && !join_bytes(low, high, to, n, c->group_count))
		err = -EBADMSG;
	return err;
}

static int read_numbers(struct columns *c, uint16_t *to)
{
	uint64_t *number, i;
	bool bad = false;
	int err;

	if (are_bytes(&c->stream[COMMON_GROUP]))
		return read_bytes(c, &c->stream[COMMON_GROUP], to);
	err = read_common(c, COMMON_GROUP, c->head.rows, &number);
	for (i = 0; i < c->head.rows && !err; i++) {
		bad |= number[i] >= c->group_count;
		to[i] = (uint16_t)number[i];
	}
	return bad ? -EBADMSG : err;
}

static int unpack_groups(struct columns *c)
{
	int err;

	c->group_of = pool_alloc(&c->block, c->head.rows, sizeof(*c->group_of));
	if (!c->group_of)
		return -ENOMEM;
	err = read_numbers(c, c->group_of);
	if (!err)
		err = groups_fill(c);
	return err ? err : context_fits(c, READ_GROUPS);
}

int read_groups(struct columns *c)
{
	return read_once(c, READ_GROUPS, unpack_groups);
}

/* ---- tasks --------------------------------------------------------------- */

static int unpack_tasks(struct columns *c)
{
	uint32_t *task = pool_alloc(&c->block, c->head.rows, sizeof(*task));
	uint64_t i, k, n;
	int err = task ? read_turns(c) : -ENOMEM;

	c->view.task = err ? NULL : task;
	for (i = 0; i < c->head.turns && !err; i++)
		for (k = 0, n = c->turn_rows[i]; k < n; k++)
			*task++ = (uint32_t)c->turn_task[i];
	return err;
}

int read_tasks(struct columns *c)
{
	return read_once(c, READ_TASKS, unpack_tasks);
}

/* ---- times --------------------------------------------------------------- */

static void add_up(struct columns *c, uint64_t *ts)
{
	uint64_t i, last = 0;

	for (i = 0; i < c->head.rows; i++) {
		if (!i || c->view.run[i] != c->view.run[i - 1])
			last = c->head.base_ns;
		last += ts[i];
		ts[i] = last;
	}
}

static int unpack_times(struct columns *c)
{
	uint64_t *ts = pool_alloc(&c->block, c->head.rows, sizeof(*ts));
	bool keep = c->keep;
	const uint64_t *v;
	uint32_t i, g, k;
	int err;

	if (!ts)
		return -ENOMEM;
	c->keep = false;
	err = read_runs(c);
	if (!err)
		err = read_groups(c);
	for (i = 0; i < c->head.parts && !err; i++) {
		const struct part *p = &c->part[i];

		for (g = 0; g < p->group_count && !err; g++) {
			const struct group *at = &p->group[g];

			err = read_column(c, p, g, 0, &v);
			for (k = 0; k < at->rows && !err; k++)
				ts[at->row[k]] = v[k];
		}
	}
	c->keep = keep;
	if (err) /* times do not follow from times */
		return err == -EAGAIN ? -EBADMSG : err;
	add_up(c, ts);
	c->ts = ts;
	c->view.ts = ts;
	return context_fits(c, READ_TIMES);
}

int read_times(struct columns *c)
{
	return read_once(c, READ_TIMES, unpack_times);
}

/* ---- strings ------------------------------------------------------------- */

static int unpack_strings(struct columns *c)
{
	const struct stream *s = &c->stream[COMMON_STR_BYTES];
	struct cursor at = {c->payload + s->at, c->payload + s->at + s->len};
	uint64_t i, sum = 0;
	int err;

	err = read_common(c, COMMON_STR_LEN, c->head.strings, &c->str_len);
	if (err)
		return err;
	if (!sums_to(c->str_len, c->head.strings, c->head.string_bytes))
		return -EBADMSG;
	c->str_at = pool_alloc(&c->block, c->head.strings, sizeof(*c->str_at));
	c->str_bytes = pool_alloc(&c->block, c->head.string_bytes, 1);
	if (!c->str_at || !c->str_bytes)
		return -ENOMEM;
	for (i = 0; i < c->head.strings; i++) {
		c->str_at[i] = (uint32_t)sum;
		sum += c->str_len[i];
	}
	return chunk_get(&c->packer, &at, c->str_bytes, c->head.string_bytes);
}

int read_strings(struct columns *c)
{
	return read_once(c, READ_STRINGS, unpack_strings);
}

/* ---- columns ------------------------------------------------------------- */

static bool is_index(const struct plan_column *c)
{
	return c->type == PLAN_STR || c->type == PLAN_BYTES ||
	       c->type == PLAN_REST;
}

bool read_is_constant(const struct columns *c, const struct group *g,
		      unsigned column, uint64_t *ret)
{
	const struct stream *s = &c->stream[group_stream(g, column)];

	if (s->what != PREDICT_NONE || s->head.form != FORM_CONST)
		return false;
	*ret = s->head.base;
	return true;
}

/* What a column follows from, which lives as long as this one. */
static int read_before(struct columns *c, const struct part *p, uint32_t group,
		       unsigned column, unsigned from, const uint64_t **ret)
{
	bool keep = c->keep;
	int err;

	/* times (column 0) follow from others, and nothing from them */
	if (!from || (column && from >= column) || from >= p->plan->count)
		return -EBADMSG;
	/* who asks for times asks for the rest of the group later */
	c->keep |= !column;
	err = read_column(c, p, group, from, ret);
	c->keep = keep;
	return err;
}

/* What a predictor has to know, before it is asked. */
static int prepare(struct columns *c, const struct part *p, uint32_t group,
		   unsigned column, struct predict *d)
{
	bool ready = c->known & READ_CONTEXT && p->plan->is_context;
	int err;

	switch (d->what) {
	case PREDICT_NONE:
	case PREDICT_SIGNED:
	case PREDICT_LAST:
	case PREDICT_NEW:
		return 0;
	case PREDICT_COLUMN:
		return read_before(c, p, group, column, d->param, &d->a);
	case PREDICT_SUM:
		err = read_before(c, p, group, column,
				  d->param % PREDICT_COLUMNS, &d->a);
		return err ? err
			   : read_before(c, p, group, column,
					 d->param / PREDICT_COLUMNS, &d->b);
	case PREDICT_CPU:
		return ready ? 0 : read_runs(c);
	case PREDICT_TASK:
	case PREDICT_PID:
	case PREDICT_TID:
		return ready ? 0 : read_tasks(c);
	case PREDICT_NEXT_PID:
	case PREDICT_NEXT_TID:
		err = ready ? 0 : read_runs(c);
		return err || ready ? err : read_tasks(c);
	case PREDICT_AGO:
		return ready || c->known & READ_TIMES ? 0 : -EAGAIN;
	case PREDICT_SINCE:
		return ready ? 0
		       : c->known & READ_TIMES
			       ? read_once(c, READ_SINCE, rows_since)
			       : -EAGAIN;
	default:
		return -EPROTONOSUPPORT;
	}
}

static bool are_strings(const struct columns *c, const uint64_t *v, uint32_t n)
{
	bool bad = false;
	uint32_t i;

	for (i = 0; i < n; i++)
		bad |= v[i] >= c->head.strings;
	return !bad;
}

static int unpack_column(struct columns *c, const struct part *p,
			 uint32_t group, unsigned column, uint64_t *v)
{
	const struct plan_column *col = &p->plan->column[column];
	const struct group *g = &p->group[group];
	uint32_t n = g->rows, at = group_stream(g, column);
	const struct stream *s = &c->stream[at];
	struct predict d = {
		.what = s->what,
		.param = s->param,
		.bits = is_index(col) ? 32 : 8U * col->size,
		.view = &c->view,
		.row = g->row,
	};
	int err;

	err = prepare(c, p, group, column, &d);
	if (!err)
		err = read_stream(c, at, v, n);
	if (err)
		return err;
	if (d.what == PREDICT_SIGNED || d.what > PREDICT_COLUMN) {
		d.guess = pool_alloc(&c->group, n, sizeof(*v));
		if (!d.guess)
			return -ENOMEM;
	}
	predict_undo(&d, v, n);
	return is_index(col) && !are_strings(c, v, n) ? -EBADMSG : 0;
}

/* Forget the columns of the group before, but those that are kept. */
static void go_to_group(struct columns *c, const struct part *p,
			const struct group *g)
{
	const struct group *old = c->at_group;
	uint32_t i;

	if (old == g)
		return;
	for (i = 0; old && i < c->at_columns; i++)
		if (!c->stream[old->stream + i].is_kept)
			c->stream[old->stream + i].value = NULL;
	pool_reset(&c->group);
	c->at_group = g;
	c->at_columns = p->plan->count;
}

int read_column(struct columns *c, const struct part *p, uint32_t group,
		unsigned column, const uint64_t **ret)
{
	const struct group *g = &p->group[group];
	struct stream *s = &c->stream[group_stream(g, column)];
	bool keep = c->keep;
	uint64_t *v;
	int err;

	go_to_group(c, p, g);
	if (!s->value) {
		v = pool_alloc(keep ? &c->block : &c->group, g->rows,
			       sizeof(*v));
		if (!v)
			return -ENOMEM;
		err = unpack_column(c, p, group, column, v);
		if (err)
			return err;
		s->is_kept = keep;
		s->value = v;
	}
	*ret = s->value;
	return 0;
}
