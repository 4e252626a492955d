// SPDX-License-Identifier: BSD-2-Clause
#include "tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define TASK_BUCKETS 1024 /* at first */

/* A path shared by the tasks that execute it. */
struct exe {
	uint32_t refs;
	uint32_t len, full;
	char text[];
};

struct node {
	struct task t; /* first: a task is its node */
	struct exe *exe;
	struct cgroup *cgroup; /* held; as in t */
	struct node *chain;
	struct node *older, *newer; /* among the dead */
};

/* What an event says of a task; which of its fields say it. */
enum effect {
	EFFECT_NEW = 1, /* a task that may have an older namesake */
	EFFECT_EXEC = 2,
	EFFECT_EXIT = 4,
};

struct rule {
	const char *kind;
	const char *tid, *pid; /* NULL: the header's */
	const char *comm;
	unsigned effect;
};

static const struct rule rules[] = {
	{"task_fork", "child_tid", "child_pid", "child_comm", EFFECT_NEW},
	{"task_alive", NULL, NULL, "task_comm", EFFECT_NEW},
	{"task_exec", NULL, NULL, "new_comm", EFFECT_EXEC},
	{"task_exit", NULL, NULL, NULL, EFFECT_EXIT},
	{"task_rename", "target_tid", "target_pid", "new_comm", 0},
	{"task_cgroup", "target_tid", "target_pid", NULL, 0},
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

struct binding {
	const struct schema_kind *kind;
	unsigned effect;
	struct bound tid, pid, comm;
	struct bound start_time, cgroup, ppid, uid, file, exiting, kthread;
	struct bound old_tid;
};

struct tasks {
	struct node **buckets;
	size_t bucket_count; /* power of two */
	size_t alive, total;
	struct node *oldest, *newest; /* the dead, by time of death */
	size_t dead;
	struct cgroups cgroups;
	struct binding by_rule[RULES];
	const struct binding *by_kind[SCHEMA_KINDS_MAX];
	struct bound path_id, path_text, gone_id;
	bool names_cgroup[SCHEMA_KINDS_MAX];
	bool ends_cgroup[SCHEMA_KINDS_MAX];
	void (*watch)(void *arg, uint32_t tid, const struct task *was);
	void *watch_arg;
};

/* ---- binding ------------------------------------------------------------- */

static void bind_rule(struct binding *b, const struct rule *r,
		      const struct schema *s)
{
	b->kind = schema_kind_by_name(s, r->kind);
	b->effect = r->effect;
	if (r->tid)
		bound_init(&b->tid, s, r->kind, r->tid);
	if (r->pid)
		bound_init(&b->pid, s, r->kind, r->pid);
	if (r->comm)
		bound_init(&b->comm, s, r->kind, r->comm);
	bound_init(&b->start_time, s, r->kind, "start_time");
	bound_init(&b->cgroup, s, r->kind, "cgroup");
	bound_init(&b->ppid, s, r->kind, "ppid");
	bound_init(&b->uid, s, r->kind, "uid");
	bound_init(&b->file, s, r->kind, "file");
	bound_init(&b->exiting, s, r->kind, "exiting");
	bound_init(&b->kthread, s, r->kind, "kthread");
	bound_init(&b->old_tid, s, r->kind, "old_tid");
}

/* Which kinds called @name have the field of @b. */
static void bind_kinds(bool *ret, const struct schema *s, const char *name,
		       const struct bound *b)
{
	const struct schema_kind *k = schema_kind_by_name(s, name);

	for (; k; k = k->variant)
		ret[k->number] = bound_in(b, k);
}

static void bind_all(struct tasks *t, const struct schema *s)
{
	const struct schema_kind *k;
	struct binding *b;
	size_t i;

	for (i = 0; i < RULES; i++) {
		b = &t->by_rule[i];
		bind_rule(b, &rules[i], s);
		for (k = b->kind; k; k = k->variant)
			t->by_kind[k->number] = b;
	}
	bound_init(&t->path_id, s, "cgroup_path", "cgroup");
	bound_init(&t->path_text, s, "cgroup_path", "path");
	bind_kinds(t->names_cgroup, s, "cgroup_path", &t->path_id);
	bound_init(&t->gone_id, s, "cgroup_gone", "cgroup");
	bind_kinds(t->ends_cgroup, s, "cgroup_gone", &t->gone_id);
}

bool tasks_binds(const struct tasks *t, unsigned kind)
{
	return kind < SCHEMA_KINDS_MAX &&
	       (t->by_kind[kind] || t->names_cgroup[kind] ||
		t->ends_cgroup[kind]);
}

void tasks_watch(struct tasks *t,
		 void (*fn)(void *arg, uint32_t tid, const struct task *was),
		 void *arg)
{
	t->watch = fn;
	t->watch_arg = arg;
}

static void tell(const struct tasks *t, uint32_t tid, const struct node *was)
{
	if (t->watch)
		t->watch(t->watch_arg, tid, was ? &was->t : NULL);
}

/* ---- the table ----------------------------------------------------------- */

static struct node **bucket(const struct tasks *t, uint32_t tid)
{
	return &t->buckets[hash_u64(tid) & (t->bucket_count - 1)];
}

static struct node *find(const struct tasks *t, uint32_t tid)
{
	struct node *n = *bucket(t, tid);

	while (n && n->t.tid != tid)
		n = n->chain;
	return n;
}

static int grow(struct tasks *t)
{
	size_t old = t->bucket_count, i;
	struct node **from = t->buckets, **to, *n, *next;

	to = calloc(old * 2, sizeof(*to));
	if (!to)
		return -ENOMEM;
	t->buckets = to;
	t->bucket_count = old * 2;
	for (i = 0; i < old; i++) {
		for (n = from[i]; n; n = next) {
			next = n->chain;
			n->chain = *bucket(t, n->t.tid);
			*bucket(t, n->t.tid) = n;
		}
	}
	free(from);
	return 0;
}

static struct node *add(struct tasks *t, uint32_t tid)
{
	struct node *n;

	if (t->total >= t->bucket_count && grow(t))
		return NULL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->t.tid = n->t.pid = tid;
	n->t.exe = "";
	n->chain = *bucket(t, tid);
	*bucket(t, tid) = n;
	t->total++;
	t->alive++;
	return n;
}

static void set_exe(struct node *n, struct exe *exe)
{
	struct exe *old = n->exe;

	if (exe)
		exe->refs++;
	n->exe = exe;
	n->t.exe = exe ? exe->text : "";
	n->t.exe_len = exe ? exe->len : 0;
	n->t.exe_full = exe ? exe->full : 0;
	if (old && !--old->refs)
		free(old);
}

static void set_cgroup(struct tasks *t, struct node *n, struct cgroup *c)
{
	struct cgroup *old = n->cgroup;

	if (c)
		cgroups_hold(c);
	n->t.cgroup = n->cgroup = c;
	cgroups_release(&t->cgroups, old);
}

static void free_node(struct tasks *t, struct node *n)
{
	set_exe(n, NULL);
	set_cgroup(t, n, NULL);
	free(n);
}

static void drop(struct tasks *t, struct node *n)
{
	struct node **p = bucket(t, n->t.tid);

	tell(t, n->t.tid, n);
	while (*p != n)
		p = &(*p)->chain;
	*p = n->chain;
	t->total--;
	free_node(t, n);
}

/* ---- death and reuse ----------------------------------------------------- */

static void leave_dead(struct tasks *t, struct node *n)
{
	*(n->older ? &n->older->newer : &t->oldest) = n->newer;
	*(n->newer ? &n->newer->older : &t->newest) = n->older;
	n->older = n->newer = NULL;
	t->dead--;
	t->alive++;
	n->t.exit_time = 0;
}

static void die(struct tasks *t, struct node *n, uint64_t ts)
{
	struct node *first;

	if (n->t.exit_time)
		return;
	n->t.exit_time = ts ? ts : 1;
	n->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = n;
	t->newest = n;
	t->dead++;
	t->alive--;
	if (t->dead > TASKS_DEAD_MAX) {
		first = t->oldest;
		leave_dead(t, first);
		t->alive--;
		drop(t, first);
	}
}

/* A new task has this tid: forget its namesake, inherit from its parent. */
static void reset(struct tasks *t, struct node *n, const struct node *parent)
{
	if (n->t.exit_time)
		leave_dead(t, n);
	set_exe(n, parent ? parent->exe : NULL);
	set_cgroup(t, n, parent ? parent->cgroup : NULL);
	n->t.events = 0;
	n->t.kthread = parent && parent->t.kthread;
}

/* ---- cgroups ------------------------------------------------------------- */

/* Its tasks are about to be in something that is called otherwise. */
static void tell_all(const struct tasks *t, const struct cgroup *c)
{
	const struct node *n;
	size_t i;

	for (i = 0; i < t->bucket_count && t->watch; i++)
		for (n = t->buckets[i]; n; n = n->chain)
			if (n->t.cgroup == c)
				tell(t, n->t.tid, n);
}

static int cgroup_name(struct tasks *t, const struct event *ev)
{
	struct cgroup *c = cgroups_get(&t->cgroups,
				       bound_u64(&t->path_id, ev, 0));
	struct field_bytes path = bound_bytes(&t->path_text, ev);

	if (!c)
		return -ENOMEM;
	tell_all(t, c);
	return cgroups_name(c, path);
}

/* ---- applying events ----------------------------------------------------- */

static void set_comm(struct task *task, struct field_bytes comm)
{
	size_t len = comm.len < WEIR_COMM_LEN ? comm.len : WEIR_COMM_LEN;

	memcpy(task->comm, comm.data, len);
	memset(task->comm + len, 0, sizeof(task->comm) - len);
}

static int set_file(struct node *n, struct field_bytes file)
{
	struct exe *exe;

	if (!file.len ||
	    (n->exe && n->exe->len == file.len && n->exe->full == file.full &&
	     !memcmp(n->exe->text, file.data, file.len)))
		return 0;
	exe = calloc(1, sizeof(*exe) + file.len + 1);
	if (!exe)
		return -ENOMEM;
	exe->len = file.len;
	exe->full = file.full;
	memcpy(exe->text, file.data, file.len);
	set_exe(n, exe);
	return 0;
}

static int set_facts(struct tasks *t, const struct binding *b, struct node *n,
		     const struct event *ev)
{
	struct task *task = &n->t;
	struct cgroup *c;

	task->pid = bound_u64(&b->pid, ev,
			      b->tid.field ? task->pid : ev->h->pid);
	task->start_time = bound_u64(&b->start_time, ev, task->start_time);
	task->ppid = bound_u64(&b->ppid, ev, task->ppid);
	task->uid = bound_u64(&b->uid, ev, task->uid);
	task->kthread = bound_u64(&b->kthread, ev, task->kthread);
	if (bound_in(&b->comm, ev->kind))
		set_comm(task, bound_bytes(&b->comm, ev));
	if (bound_in(&b->cgroup, ev->kind)) {
		c = cgroups_get(&t->cgroups, bound_u64(&b->cgroup, ev, 0));
		if (!c)
			return -ENOMEM;
		set_cgroup(t, n, c);
	}
	return b->file.field ? set_file(n, bound_bytes(&b->file, ev)) : 0;
}

static bool is_same(const struct binding *b, const struct node *n,
		    const struct event *ev)
{
	return n->t.start_time == bound_u64(&b->start_time, ev, 0);
}

/* A thread took its leader's place: what it was called before is no more. */
static void end_old(struct tasks *t, const struct binding *b,
		    const struct event *ev, uint32_t tid)
{
	uint32_t old = bound_u64(&b->old_tid, ev, tid);
	struct node *was = old != tid ? find(t, old) : NULL;

	if (was)
		die(t, was, ev->h->ts);
}

/* Who dies may take the oldest of the dead along, be it one just looked at: so
 * that comes last, and each is looked up for it. */
static int apply_rule(struct tasks *t, const struct binding *b,
		      const struct event *ev)
{
	uint32_t tid = bound_u64(&b->tid, ev, ev->h->tid);
	struct node *n = find(t, tid);
	bool known = n && is_same(b, n, ev);
	int err;

	if (bound_u64(&b->exiting, ev, 0) && known && n->t.exit_time)
		return 0; /* seen on its way out after its exit event */
	tell(t, tid, n);
	if (!n)
		n = add(t, tid);
	if (!n)
		return -ENOMEM;
	if ((b->effect & EFFECT_NEW) && !known)
		reset(t, n, b->tid.field ? find(t, ev->h->tid) : NULL);
	if ((b->effect & EFFECT_EXEC) && n->t.exit_time)
		leave_dead(t, n);
	err = set_facts(t, b, n, ev);
	if (!err && b->effect & EFFECT_EXIT)
		die(t, n, ev->h->ts);
	end_old(t, b, ev, tid);
	return err;
}

int tasks_apply(struct tasks *t, struct event *ev)
{
	const struct binding *b = t->by_kind[ev->h->kind & 0xff];
	struct node *n;
	int err = 0;

	if (b)
		err = apply_rule(t, b, ev);
	else if (t->names_cgroup[ev->h->kind & 0xff])
		err = cgroup_name(t, ev);
	else if (t->ends_cgroup[ev->h->kind & 0xff])
		cgroups_removed(&t->cgroups, bound_u64(&t->gone_id, ev, 0));
	n = find(t, ev->h->tid);
	if (n)
		n->t.events++;
	ev->task = n ? &n->t : NULL;
	return err;
}

/* ---- questions ----------------------------------------------------------- */

const struct task *tasks_find(const struct tasks *t, uint32_t tid)
{
	struct node *n = find(t, tid);

	return n ? &n->t : NULL;
}

const struct cgroup *tasks_cgroup(const struct tasks *t, uint64_t id)
{
	return cgroups_named(&t->cgroups, id);
}

size_t tasks_count(const struct tasks *t)
{
	return t->alive;
}

static int by_tid(const void *a, const void *b)
{
	const struct task *x = *(const struct task *const *)a;
	const struct task *y = *(const struct task *const *)b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

int tasks_each_cgroup(const struct tasks *t,
		      int (*fn)(void *arg, const struct cgroup *c), void *arg)
{
	return cgroups_each(&t->cgroups, fn, arg);
}

int tasks_each(const struct tasks *t,
	       int (*fn)(void *arg, const struct task *task), void *arg)
{
	const struct task **all = calloc(t->total + 1, sizeof(struct task *));
	const struct node *n;
	size_t count = 0, i;
	int err = 0;

	if (!all)
		return -ENOMEM;
	for (i = 0; i < t->bucket_count; i++) {
		for (n = t->buckets[i]; n; n = n->chain) {
			if (!n->t.exit_time)
				all[count++] = &n->t;
		}
	}
	qsort(all, count, sizeof(struct task *), by_tid);
	for (i = 0; i < count && !err; i++)
		err = fn(arg, all[i]);
	free(all);
	return err;
}

/* ---- life ---------------------------------------------------------------- */

static int add_idle(struct tasks *t)
{
	struct node *idle = add(t, 0);

	if (!idle)
		return -ENOMEM;
	strcpy(idle->t.comm, "swapper");
	idle->t.kthread = true;
	return 0;
}

int tasks_new(struct tasks **ret, const struct schema *schema)
{
	struct tasks *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->bucket_count = TASK_BUCKETS;
	t->buckets = calloc(t->bucket_count, sizeof(*t->buckets));
	if (!t->buckets || add_idle(t)) {
		tasks_free(t);
		return -ENOMEM;
	}
	bind_all(t, schema);
	*ret = t;
	return 0;
}

static void empty(struct tasks *t)
{
	struct node *n, *next;
	size_t i;

	for (i = 0; t->buckets && i < t->bucket_count; i++) {
		for (n = t->buckets[i]; n; n = next) {
			next = n->chain;
			free_node(t, n);
		}
		t->buckets[i] = NULL;
	}
	cgroups_done(&t->cgroups);
}

int tasks_reset(struct tasks *t)
{
	empty(t);
	t->alive = t->total = t->dead = 0;
	t->oldest = t->newest = NULL;
	return add_idle(t);
}

void tasks_free(struct tasks *t)
{
	if (!t)
		return;
	empty(t);
	free(t->buckets);
	free(t);
}
