// SPDX-License-Identifier: BSD-2-Clause
#include "fast_tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_rows.h"
#include "hash.h"

#define SLOTS_MIN 256
#define UNKNOWN	  UINT32_MAX /* not looked up */

/* A task that was something else before a row. */
struct version {
	uint32_t tid, row;
	uint32_t before, after; /* infos */
};

struct entry {
	uint32_t tid, info; /* UNKNOWN */
	bool used;
};

/* A row that the table is made of. */
struct change {
	uint32_t row;
	size_t at; /* of its record */
};

struct fast_tasks {
	struct tasks *tasks;
	const struct schema *schema;
	struct fast_texts *texts; /* borrowed */
	struct sql_column column[FAST_FACTS];
	bool facts[FAST_FACTS];
	struct buf scratch;
	int err; /* of a watch */
	/* what there is to know */
	struct fast_info *info;
	uint32_t infos, info_cap;
	uint32_t *slot; /* infos by hash, plus one */
	uint32_t slots;
	/* by tid: at the block's end */
	struct entry *entry;
	uint32_t entries, entry_cap;
	/* of one event */
	struct version *noted; /* tid and before */
	uint32_t noted_count, noted_cap;
	/* of the block */
	struct version *version; /* by tid, then in order */
	uint32_t versions, version_cap;
	struct buf records;
};

/* ---- what there is to know ----------------------------------------------- */

static uint64_t hash_info(const struct fast_info *x)
{
	uint64_t h = x->known;
	unsigned i;

	for (i = 0; i < FAST_FACTS; i++)
		h = hash_u64(h * 31 + (uint64_t)x->value[i] * 2 + x->null[i]);
	return h;
}

static bool is_same(const struct fast_info *a, const struct fast_info *b)
{
	return a->known == b->known &&
	       !memcmp(a->null, b->null, sizeof(a->null)) &&
	       !memcmp(a->value, b->value, sizeof(a->value));
}

static int grow_infos(struct fast_tasks *t)
{
	uint32_t slots = t->slots ? t->slots * 2 : SLOTS_MIN, i, at;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	void *info = reallocarray(t->info, slots / 2, sizeof(*t->info));

	if (info)
		t->info = info;
	if (!slot || !info) {
		free(slot);
		return -ENOMEM;
	}
	for (i = 0; i < t->infos; i++) {
		at = (uint32_t)hash_info(&t->info[i]) & (slots - 1);
		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	t->info_cap = slots / 2;
	return 0;
}

static int keep_info(struct fast_tasks *t, const struct fast_info *x,
		     uint32_t *ret)
{
	uint32_t at;

	if (t->infos == t->info_cap && grow_infos(t))
		return -ENOMEM;
	at = (uint32_t)hash_info(x) & (t->slots - 1);
	while (t->slot[at] && !is_same(&t->info[t->slot[at] - 1], x))
		at = (at + 1) & (t->slots - 1);
	if (!t->slot[at]) {
		t->info[t->infos++] = *x;
		t->slot[at] = t->infos;
	}
	*ret = t->slot[at] - 1;
	return 0;
}

static int set_fact(struct fast_tasks *t, unsigned i, struct fast_info *x)
{
	struct event ev = {.task = &x->task};
	struct render none = {0};
	struct sql_value v;
	uint32_t text = 0;
	int err = 0;

	sql_column_get(&t->column[i], &none, NULL, &ev, &t->scratch, &v);
	x->null[i] = v.type == SQL_NULL;
	if (v.type == SQL_INT)
		x->value[i] = v.i;
	if (v.type == SQL_TEXT) {
		err = fast_texts_number(t->texts, v.text, v.len, &text);
		x->value[i] = text;
	}
	return err;
}

/* Strings of the table do not live as long as an info. */
static int keep_text(struct fast_tasks *t, const char **text, uint32_t len)
{
	uint32_t number;
	int err = fast_texts_number(t->texts, *text, len, &number);

	if (!err)
		*text = t->texts->text[number].data;
	return err;
}

static int keep_texts(struct fast_tasks *t, struct fast_info *x)
{
	struct task *task = &x->task;
	int err = 0;

	if (t->facts[SQL_EXE - SQL_COMM])
		err = keep_text(t, &task->exe, task->exe_len);
	else
		task->exe_len = 0;
	if (!task->cgroup || err)
		return err;
	x->cgroup = *task->cgroup;
	if (t->facts[SQL_CGROUP - SQL_COMM])
		err = keep_text(t, &x->cgroup.path,
				(uint32_t)strlen(x->cgroup.path));
	if (!err && t->facts[SQL_CONTAINER - SQL_COMM])
		err = keep_text(t, &x->cgroup.container,
				(uint32_t)strlen(x->cgroup.container));
	return err;
}

static int learn(struct fast_tasks *t, const struct task *task, uint32_t *ret)
{
	struct fast_info x = {.known = task != NULL};
	unsigned i;
	int err = 0;

	memset(x.null, true, sizeof(x.null));
	if (task) {
		x.task = *task;
		err = keep_texts(t, &x);
	}
	for (i = 0; i < FAST_FACTS && task && !err; i++)
		if (t->facts[i])
			err = set_fact(t, i, &x);
	return err ? err : keep_info(t, &x, ret);
}

/* ---- by tid -------------------------------------------------------------- */

static struct entry *find_entry(const struct fast_tasks *t, uint32_t tid)
{
	uint32_t at = (uint32_t)hash_u64(tid) & (t->entry_cap - 1);

	while (t->entry[at].used && t->entry[at].tid != tid)
		at = (at + 1) & (t->entry_cap - 1);
	return &t->entry[at];
}

static int grow_entries(struct fast_tasks *t)
{
	struct entry *old = t->entry;
	uint32_t cap = t->entry_cap, i;

	t->entry = calloc(cap ? cap * 2 : SLOTS_MIN, sizeof(*t->entry));
	if (!t->entry) {
		t->entry = old;
		return -ENOMEM;
	}
	t->entry_cap = cap ? cap * 2 : SLOTS_MIN;
	for (i = 0; i < cap; i++)
		if (old[i].used)
			*find_entry(t, old[i].tid) = old[i];
	free(old);
	return 0;
}

/* What is known of a tid now. */
static int know(struct fast_tasks *t, uint32_t tid, uint32_t *ret)
{
	struct entry *e;
	int err = 0;

	if (t->entries >= t->entry_cap / 2 && grow_entries(t))
		return -ENOMEM;
	e = find_entry(t, tid);
	if (!e->used) {
		*e = (struct entry){tid, UNKNOWN, true};
		t->entries++;
	}
	if (e->info == UNKNOWN)
		err = learn(t, tasks_find(t->tasks, tid), &e->info);
	if (!err)
		*ret = e->info;
	return err;
}

static void forget(struct fast_tasks *t, uint32_t tid)
{
	struct entry *e = t->entry_cap ? find_entry(t, tid) : NULL;

	if (e && e->used)
		e->info = UNKNOWN;
}

/* ---- events that change it ----------------------------------------------- */

static int add_version(struct version **list, uint32_t *count, uint32_t *cap,
		       const struct version *v)
{
	uint32_t more = *cap ? *cap * 2 : SLOTS_MIN;
	void *p;

	if (*count == *cap) {
		p = reallocarray(*list, more, sizeof(**list));
		if (!p)
			return -ENOMEM;
		*list = p;
		*cap = more;
	}
	(*list)[(*count)++] = *v;
	return 0;
}

static void on_change(void *arg, uint32_t tid, const struct task *was)
{
	struct fast_tasks *t = arg;
	struct version v = {.tid = tid};
	uint32_t i;
	int err;

	for (i = 0; i < t->noted_count; i++)
		if (t->noted[i].tid == tid)
			return;
	err = learn(t, was, &v.before);
	if (!err)
		err = add_version(&t->noted, &t->noted_count, &t->noted_cap,
				  &v);
	if (err)
		t->err = err;
}

static int apply(struct fast_tasks *t, const struct change *c)
{
	const struct weir_hdr *h =
		(const struct weir_hdr *)(t->records.data + c->at);
	struct event ev;
	uint32_t i;

	t->noted_count = 0;
	if (event_init(&ev, t->schema, h, h->len))
		return 0; /* as who reads rows */
	t->err = tasks_apply(t->tasks, &ev);
	for (i = 0; i < t->noted_count && !t->err; i++) {
		struct version v = t->noted[i];

		v.row = c->row;
		forget(t, v.tid);
		t->err = know(t, v.tid, &v.after);
		if (!t->err && v.after != v.before)
			t->err = add_version(&t->version, &t->versions,
					     &t->version_cap, &v);
	}
	return t->err;
}

/* ---- a block ------------------------------------------------------------- */

static int collect_group(struct fast_tasks *t, struct fast_block *b,
			 const struct schema_kind *k, uint32_t group,
			 struct change *to, uint32_t *count)
{
	struct fast_rows *r = pool_alloc(&b->pool, 1, sizeof(*r));
	uint32_t i;
	int err = r ? fast_rows_open(r, b, k, group, NULL) : -ENOMEM;

	for (i = 0; !err && i < r->count; i++) {
		to[*count].row = r->row[i];
		to[(*count)++].at = fast_rows_put(r, i, &t->records);
		err = buf_err(&t->records);
	}
	return err;
}

static int collect(struct fast_tasks *t, struct fast_block *b,
		   struct change *to)
{
	struct columns_group g;
	uint32_t count = 0, i;
	unsigned k;
	int err = 0;

	buf_reset(&t->records);
	for (k = 0; k < SCHEMA_KINDS_MAX && !err; k++) {
		if (!tasks_binds(t->tasks, k))
			continue;
		for (i = 0; i < columns_group(b->columns, k, i, &g) && !err;
		     i++)
			err = collect_group(t, b, schema_kind(t->schema, k), i,
					    to, &count);
	}
	return err;
}

static uint32_t count_changes(const struct fast_tasks *t,
			      const struct fast_block *b)
{
	uint32_t n = 0;
	unsigned k;

	for (k = 0; k < SCHEMA_KINDS_MAX; k++)
		if (tasks_binds(t->tasks, k))
			n += columns_kind_rows(b->columns, k);
	return n;
}

static int by_order(const void *x, const void *y, void *arg)
{
	const struct change *a = x, *b = y;

	return fast_block_compare_tasks(arg, a->row, b->row);
}

/* Those of a tid next to each other; they are in order already. */
static int by_tid(const void *x, const void *y, void *arg)
{
	const struct version *a = x, *b = y;

	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return fast_block_compare_tasks(arg, a->row, b->row);
}

int fast_tasks_block(struct fast_tasks *t, struct fast_block *b)
{
	uint32_t n = count_changes(t, b), i;
	struct change *change;
	int err;

	t->versions = 0;
	if (!n)
		return 0;
	change = pool_alloc(&b->pool, n, sizeof(*change));
	err = change ? fast_block_task_order(b) : -ENOMEM;
	if (!err)
		err = collect(t, b, change);
	if (err)
		return err;
	qsort_r(change, n, sizeof(*change), by_order, b);
	for (i = 0; i < n && !err; i++)
		err = apply(t, &change[i]);
	if (t->versions)
		qsort_r(t->version, t->versions, sizeof(*t->version), by_tid,
			b);
	return err;
}

bool fast_tasks_moved(const struct fast_tasks *t)
{
	return t->versions != 0;
}

/* The first version of a tid, or NULL. */
static const struct version *find_version(const struct fast_tasks *t,
					  uint32_t tid)
{
	uint32_t lo = 0, hi = t->versions, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (t->version[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->versions && t->version[lo].tid == tid ? &t->version[lo]
							     : NULL;
}

bool fast_tasks_settled(const struct fast_tasks *t, uint32_t tid)
{
	return !t->versions || !find_version(t, tid);
}

int fast_tasks_find(struct fast_tasks *t, struct fast_block *b, uint32_t tid,
		    uint32_t row, uint32_t *ret)
{
	const struct version *v = t->versions ? find_version(t, tid) : NULL;
	const struct version *end = t->version + t->versions;
	int err;

	if (!v)
		return know(t, tid, ret);
	err = fast_block_order(b);
	if (err)
		return err;
	*ret = v->before;
	while (v < end && v->tid == tid &&
	       fast_block_compare(b, v->row, row) <= 0)
		*ret = v++->after;
	return 0;
}

const struct fast_info *fast_tasks_info(const struct fast_tasks *t,
					uint32_t number)
{
	return &t->info[number];
}

/* ---- life ---------------------------------------------------------------- */

int fast_tasks_new(struct fast_tasks **ret, const struct schema *schema,
		   const bool facts[FAST_FACTS], struct fast_texts *texts)
{
	struct fast_tasks *t = calloc(1, sizeof(*t));
	unsigned i;
	int err;

	if (!t)
		return -ENOMEM;
	t->schema = schema;
	t->texts = texts;
	memcpy(t->facts, facts, sizeof(t->facts));
	for (i = 0; i < FAST_FACTS; i++)
		t->column[i].what = SQL_COMM + i;
	err = tasks_new(&t->tasks, schema);
	if (err) {
		fast_tasks_free(t);
		return err;
	}
	tasks_watch(t->tasks, on_change, t);
	*ret = t;
	return 0;
}

void fast_tasks_free(struct fast_tasks *t)
{
	if (!t)
		return;
	tasks_free(t->tasks);
	buf_done(&t->scratch);
	buf_done(&t->records);
	free(t->info);
	free(t->slot);
	free(t->entry);
	free(t->version);
	free(t->noted);
	free(t);
}
