// SPDX-License-Identifier: BSD-2-Clause
#include "fast_tasks_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_rows.h"
#include "hash.h"

#define VIEWS_MIN 8

/* A row that the table is made of. */
struct change {
	uint32_t row;
	size_t at; /* of its record */
};

struct fast_tasks {
	struct tasks *tasks;
	const struct schema *schema;
	struct fast_texts texts;
	struct sql_column column[FAST_FACTS];
	bool facts[FAST_FACTS];
	struct buf scratch;
	int err; /* of a watch */
	/* what there is to know */
	struct known *known;
	uint32_t infos, info_cap;
	uint32_t *slot; /* infos by hash, plus one */
	uint32_t slots;
	struct fast_entries entries; /* at the end of the last block */
	struct changes noted;	     /* of one event: tid and before */
	struct changes ahead[FAST_AHEAD];
	uint64_t blocks;
	struct fast_view **view;
	unsigned views, view_cap;
	struct buf records; /* of a block */
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
	void *info = reallocarray(t->known, slots / 2, sizeof(*t->known));

	if (info)
		t->known = info;
	if (!slot || !info) {
		free(slot);
		return -ENOMEM;
	}
	for (i = 0; i < t->infos; i++) {
		at = (uint32_t)hash_info(&t->known[i].info) & (slots - 1);
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

static int keep_info(struct fast_tasks *t, const struct known *x, uint32_t *ret)
{
	uint32_t at;

	if (t->infos == t->info_cap && grow_infos(t))
		return -ENOMEM;
	at = (uint32_t)hash_info(&x->info) & (t->slots - 1);
	while (t->slot[at] &&
	       !is_same(&t->known[t->slot[at] - 1].info, &x->info))
		at = (at + 1) & (t->slots - 1);
	if (!t->slot[at]) {
		t->known[t->infos++] = *x;
		t->slot[at] = t->infos;
	}
	*ret = t->slot[at] - 1;
	return 0;
}

static int set_fact(struct fast_tasks *t, unsigned i, struct known *x)
{
	struct event ev = {.task = &x->task};
	struct render none = {0};
	struct sql_value v;
	uint32_t text = 0;
	int err = 0;

	sql_column_get(&t->column[i], &none, NULL, &ev, &t->scratch, &v);
	x->info.null[i] = v.type == SQL_NULL;
	if (v.type == SQL_INT)
		x->info.value[i] = v.i;
	if (v.type == SQL_TEXT) {
		err = fast_texts_number(&t->texts, v.text, v.len, &text);
		x->info.value[i] = text;
	}
	return err;
}

/* Strings of the table do not live as long as an info. */
static int keep_text(struct fast_tasks *t, const char **text, uint32_t len)
{
	uint32_t number;
	int err = fast_texts_number(&t->texts, *text, len, &number);

	if (!err)
		*text = t->texts.text[number].data;
	return err;
}

static int keep_texts(struct fast_tasks *t, struct known *x)
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
	struct known x = {.info.known = task != NULL};
	unsigned i;
	int err = 0;

	memset(x.info.null, true, sizeof(x.info.null));
	if (task) {
		x.task = *task;
		err = keep_texts(t, &x);
	}
	for (i = 0; i < FAST_FACTS && task && !err; i++)
		if (t->facts[i])
			err = set_fact(t, i, &x);
	return err ? err : keep_info(t, &x, ret);
}

const struct known *tasks_known(const struct fast_tasks *t, uint32_t number)
{
	return &t->known[number];
}

const struct fast_text *tasks_text(const struct fast_tasks *t, int64_t number)
{
	return &t->texts.text[number];
}

/* ---- by tid -------------------------------------------------------------- */

static struct fast_entry *find_entry(const struct fast_entries *e, uint32_t tid)
{
	uint32_t at = (uint32_t)hash_u64(tid) & (e->cap - 1);

	while (e->entry[at].used && e->entry[at].tid != tid)
		at = (at + 1) & (e->cap - 1);
	return &e->entry[at];
}

static int grow_entries(struct fast_entries *e)
{
	struct fast_entry *old = e->entry;
	uint32_t cap = e->cap, i;

	e->entry = calloc(cap ? cap * 2 : SLOTS_MIN, sizeof(*e->entry));
	if (!e->entry) {
		e->entry = old;
		return -ENOMEM;
	}
	e->cap = cap ? cap * 2 : SLOTS_MIN;
	for (i = 0; i < cap; i++)
		if (old[i].used)
			*find_entry(e, old[i].tid) = old[i];
	free(old);
	return 0;
}

struct fast_entry *entries_at(struct fast_entries *e, uint32_t tid)
{
	struct fast_entry *at;

	if (e->count >= e->cap / 2 && grow_entries(e))
		return NULL;
	at = find_entry(e, tid);
	if (!at->used) {
		*at = (struct fast_entry){tid, UNKNOWN, true};
		e->count++;
	}
	return at;
}

void entries_forget(struct fast_entries *e, uint32_t tid)
{
	struct fast_entry *at = e->cap ? find_entry(e, tid) : NULL;

	if (at && at->used)
		at->info = UNKNOWN;
}

/* What is known of a tid now. */
static int know(struct fast_tasks *t, uint32_t tid, uint32_t *ret)
{
	struct fast_entry *e = entries_at(&t->entries, tid);
	int err = e ? 0 : -ENOMEM;

	if (!err && e->info == UNKNOWN)
		err = learn(t, tasks_find(t->tasks, tid), &e->info);
	if (!err)
		*ret = e->info;
	return err;
}

int tasks_know(struct fast_tasks *t, uint64_t block, uint32_t tid,
	       uint32_t *ret)
{
	const struct version *v;

	while (block++ < t->blocks) {
		v = changes_find(tasks_changes(t, block), tid);
		if (!v)
			continue;
		*ret = v->before;
		return 0;
	}
	return know(t, tid, ret);
}

/* ---- events that change it ----------------------------------------------- */

static int add_version(struct changes *c, const struct version *v)
{
	uint32_t more = c->cap ? c->cap * 2 : SLOTS_MIN;
	void *p;

	if (c->count == c->cap) {
		p = reallocarray(c->version, more, sizeof(*c->version));
		if (!p)
			return -ENOMEM;
		c->version = p;
		c->cap = more;
	}
	c->version[c->count++] = *v;
	return 0;
}

static void on_change(void *arg, uint32_t tid, const struct task *was)
{
	struct fast_tasks *t = arg;
	struct version v = {.tid = tid};
	uint32_t i;
	int err;

	for (i = 0; i < t->noted.count; i++)
		if (t->noted.version[i].tid == tid)
			return;
	err = learn(t, was, &v.before);
	if (!err)
		err = add_version(&t->noted, &v);
	if (err)
		t->err = err;
}

static int apply(struct fast_tasks *t, const struct change *c,
		 struct changes *to)
{
	const struct weir_hdr *h =
		(const struct weir_hdr *)(t->records.data + c->at);
	struct event ev;
	uint32_t i;

	t->noted.count = 0;
	if (event_init(&ev, t->schema, h, h->len))
		return 0; /* as who reads rows */
	t->err = tasks_apply(t->tasks, &ev);
	for (i = 0; i < t->noted.count && !t->err; i++) {
		struct version v = t->noted.version[i];

		v.row = c->row;
		entries_forget(&t->entries, v.tid);
		t->err = know(t, v.tid, &v.after);
		if (!t->err && v.after != v.before)
			t->err = add_version(to, &v);
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

static int take_block(struct fast_tasks *t, struct fast_block *b,
		      struct changes *to)
{
	uint32_t n = count_changes(t, b), i;
	struct change *change;
	int err;

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
		err = apply(t, &change[i], to);
	if (to->count)
		qsort_r(to->version, to->count, sizeof(*to->version), by_tid,
			b);
	return err;
}

int fast_tasks_block(struct fast_tasks *t, struct fast_view *v,
		     struct fast_block *b)
{
	struct changes *to = &t->ahead[++t->blocks % FAST_AHEAD];

	to->block = t->blocks;
	to->count = 0;
	view_enter(v, t->blocks);
	return take_block(t, b, to);
}

bool fast_tasks_far(const struct fast_tasks *t)
{
	unsigned i;

	for (i = 0; i < t->views; i++)
		if (view_block(t->view[i]) &&
		    t->blocks + 1 - view_block(t->view[i]) >= FAST_AHEAD)
			return true;
	return false;
}

const struct changes *tasks_changes(const struct fast_tasks *t, uint64_t block)
{
	return &t->ahead[block % FAST_AHEAD];
}

const struct version *changes_find(const struct changes *c, uint32_t tid)
{
	uint32_t lo = 0, hi = c->count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (c->version[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->count && c->version[lo].tid == tid ? &c->version[lo]
							  : NULL;
}

/* ---- views --------------------------------------------------------------- */

int tasks_join(struct fast_tasks *t, struct fast_view *v)
{
	unsigned cap = t->view_cap ? t->view_cap * 2 : VIEWS_MIN;
	struct fast_view **view;

	if (t->views == t->view_cap) {
		view = reallocarray(t->view, cap, sizeof(struct fast_view *));
		if (!view)
			return -ENOMEM;
		t->view = view;
		t->view_cap = cap;
	}
	t->view[t->views++] = v;
	return 0;
}

void tasks_part(struct fast_tasks *t, struct fast_view *v)
{
	unsigned i;

	for (i = 0; i < t->views; i++)
		if (t->view[i] == v)
			t->view[i--] = t->view[--t->views];
}

/* ---- life ---------------------------------------------------------------- */

int fast_tasks_new(struct fast_tasks **ret, const struct schema *schema,
		   const bool facts[FAST_FACTS])
{
	struct fast_tasks *t = calloc(1, sizeof(*t));
	unsigned i;
	int err;

	if (!t)
		return -ENOMEM;
	t->schema = schema;
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
	unsigned i;

	if (!t)
		return;
	tasks_free(t->tasks);
	buf_done(&t->scratch);
	buf_done(&t->records);
	fast_texts_done(&t->texts);
	for (i = 0; i < FAST_AHEAD; i++)
		free(t->ahead[i].version);
	free(t->noted.version);
	free(t->known);
	free(t->slot);
	free(t->entries.entry);
	free(t->view);
	free(t);
}
