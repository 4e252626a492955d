// SPDX-License-Identifier: BSD-2-Clause
/*
 * tally.c - see tally.h.
 */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define BUCKETS_MIN 1024

void tally_done(struct tally *t)
{
	size_t i;

	if (t->tasks)
		tasks_watch(t->tasks, NULL, NULL);
	for (i = 0; i < t->count; i++) {
		free(t->list[i]->counts);
		free(t->list[i]->exe);
		free(t->list[i]);
	}
	free(t->list);
	free(t->buckets);
	memset(t, 0, sizeof(*t));
}

/* ---- the table ----------------------------------------------------------- */

static struct process **bucket(const struct tally *t, uint32_t pid)
{
	return &t->buckets[hash_u64(pid) & (t->bucket_count - 1)];
}

static void rehash(struct tally *t)
{
	size_t i, count = t->bucket_count * 4;
	struct process **buckets = calloc(count, sizeof(*buckets)), **b;

	if (!buckets)
		return; /* only slower */
	free(t->buckets);
	t->buckets = buckets;
	t->bucket_count = count;
	for (i = 0; i < t->count; i++) {
		b = bucket(t, t->list[i]->pid);
		t->list[i]->chain = *b;
		*b = t->list[i];
	}
}

static struct process *find(const struct tally *t, uint32_t pid, uint64_t start)
{
	struct process *p = *bucket(t, pid);

	while (p && (p->pid != pid || p->start_time != start ||
		     p->boot != t->render->boot))
		p = p->chain;
	return p;
}

static struct process *add(struct tally *t, uint32_t pid, uint64_t start)
{
	size_t cap = t->cap ? t->cap * 2 : BUCKETS_MIN;
	struct process **list, **b, *p;

	if (t->count == t->cap) {
		list = realloc(t->list, cap * sizeof(*list));
		if (!list)
			return NULL;
		t->list = list;
		t->cap = cap;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->start_time = start;
	p->boot = t->render->boot;
	p->shift = t->render->shift;
	b = bucket(t, pid);
	p->chain = *b;
	*b = p;
	t->list[t->count++] = p;
	if (t->count > 2 * t->bucket_count)
		rehash(t);
	return p;
}

/* Return: 0; -ENOMEM. */
static int copy_exe(struct process *p, const struct task *task)
{
	char *exe;

	if (!task->exe_len || (p->exe && p->exe_len == task->exe_len &&
			       !memcmp(p->exe, task->exe, task->exe_len)))
		return 0;
	exe = strndup(task->exe, task->exe_len);
	if (!exe)
		return -ENOMEM;
	free(p->exe);
	p->exe = exe;
	p->exe_len = strlen(exe);
	return 0;
}

/* What the task table knows of its first thread now. */
static int copy_task(struct process *p, const struct task *task)
{
	p->ppid = task->ppid;
	p->uid = task->uid;
	p->exit_time = task->exit_time;
	p->kthread = task->kthread;
	memcpy(p->comm, task->comm, sizeof(p->comm));
	return copy_exe(p, task);
}

/* What it was is all that will be known of it, should another follow it. */
static void on_change(void *arg, uint32_t tid, const struct task *was)
{
	struct tally *t = arg;
	struct process *p;

	if (!was || was->pid != tid)
		return;
	p = find(t, tid, was->start_time);
	if (p && copy_task(p, was))
		t->err = -ENOMEM;
}

int tally_init(struct tally *t, const struct render *r, struct tasks *tasks)
{
	memset(t, 0, sizeof(*t));
	t->render = r;
	bound_init(&t->ran, r->schema, "sched_switch", "ran");
	t->buckets = calloc(BUCKETS_MIN, sizeof(*t->buckets));
	t->bucket_count = t->buckets ? BUCKETS_MIN : 0;
	if (!t->buckets)
		return -ENOMEM;
	t->tasks = tasks;
	tasks_watch(tasks, on_change, t);
	return 0;
}

static struct process *process_of(struct tally *t, uint32_t pid,
				  const struct task *any)
{
	const struct task *leader = tasks_find(t->render->tasks, pid);
	struct process *p;
	uint64_t start;

	if (leader && leader->pid != pid)
		leader = NULL;
	start = leader ? leader->start_time : 0;
	p = find(t, pid, start);
	if (!p && start) { /* seen before it was known? */
		p = find(t, pid, 0);
		if (p)
			p->start_time = start;
	}
	if (!p)
		p = add(t, pid, start);
	if (p && (leader || any) && copy_task(p, leader ? leader : any))
		return NULL;
	return p;
}

static int count(struct process *p, const struct schema_kind *kind)
{
	struct tally_count *counts;
	unsigned i;

	p->events++;
	for (i = 0; i < p->count_len && p->counts[i].kind != kind; i++)
		;
	if (i < p->count_len) {
		p->counts[i].events++;
		return 0;
	}
	counts = realloc(p->counts, (i + 1) * sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	counts[i] = (struct tally_count){.kind = kind, .events = 1};
	p->counts = counts;
	p->count_len = i + 1;
	return 0;
}

int tally_event(struct tally *t, const struct event *ev)
{
	struct process *p = process_of(t, ev->h->pid, ev->task);

	if (!p)
		return -ENOMEM;
	if (p->pid)
		p->cpu_ns += bound_u64(&t->ran, ev, 0);
	return count(p, ev->kind->first);
}

static int add_alive(void *arg, const struct task *task)
{
	struct tally *t = arg;

	return process_of(t, task->pid, task) ? 0 : -ENOMEM;
}

/* How it stands with those that were counted: the dead are not in each(). */
static int learn_end(struct tally *t, struct process *p)
{
	const struct task *now = p->boot == t->render->boot
					 ? tasks_find(t->tasks, p->pid)
					 : NULL;

	if (!now || now->pid != p->pid || now->start_time != p->start_time)
		return 0;
	return copy_task(p, now);
}

int tally_alive(struct tally *t)
{
	size_t i;
	int err = t->err;

	for (i = 0; i < t->count && !err; i++)
		err = learn_end(t, t->list[i]);
	return err ? err : tasks_each(t->tasks, add_alive, t);
}

int tally_leave(void *tally)
{
	return tally_alive(tally);
}

/* ---- order --------------------------------------------------------------- */

static int by_work(const void *a, const void *b)
{
	const struct process *p = *(struct process *const *)a;
	const struct process *q = *(struct process *const *)b;

	if (p->cpu_ns != q->cpu_ns)
		return p->cpu_ns < q->cpu_ns ? 1 : -1;
	if (p->events != q->events)
		return p->events < q->events ? 1 : -1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

static int by_start(const void *a, const void *b)
{
	const struct process *p = *(struct process *const *)a;
	const struct process *q = *(struct process *const *)b;

	uint64_t x = p->start_time + p->shift, y = q->start_time + q->shift;

	if (x != y)
		return x < y ? -1 : 1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

static int by_count(const void *a, const void *b)
{
	const struct tally_count *p = a, *q = b;

	if (p->events != q->events)
		return p->events < q->events ? 1 : -1;
	return strcmp(p->kind->name, q->kind->name);
}

void tally_sort(struct tally *t)
{
	if (t->count)
		qsort(t->list, t->count, sizeof(*t->list), by_work);
}

void tally_busiest(struct process *p)
{
	if (p->count_len)
		qsort(p->counts, p->count_len, sizeof(*p->counts), by_count);
}

/* Of those that began at one instant, or nobody knows when, by pid: whatever
 * they say, nobody is his own grandfather. */
static bool is_before(const struct process *p, const struct process *q)
{
	if (p->start_time != q->start_time)
		return p->start_time < q->start_time;
	return p->pid < q->pid;
}

/* The process called @pid that was there when @child began. */
static struct process *parent_of(const struct tally *t,
				 const struct process *child)
{
	struct process *p, *best = NULL;

	if (!child->ppid)
		return NULL;
	for (p = *bucket(t, child->ppid); p; p = p->chain) {
		if (p->pid != child->ppid || p->boot != child->boot ||
		    !is_before(p, child))
			continue;
		if (!best || p->start_time > best->start_time)
			best = p;
	}
	return best;
}

struct process *tally_tree(struct tally *t)
{
	struct process *roots = NULL, *p, *parent, **list;
	size_t i;

	if (t->count)
		qsort(t->list, t->count, sizeof(*t->list), by_start);
	for (i = t->count; i-- > 0;) {
		p = t->list[i];
		parent = parent_of(t, p);
		p->parent = parent;
		list = parent ? &parent->child : &roots;
		p->sibling = *list;
		*list = p;
	}
	return roots;
}

struct process *tally_next(struct process *p, unsigned *depth)
{
	if (p->child) {
		++*depth;
		return p->child;
	}
	while (p && !p->sibling) {
		p = p->parent;
		*depth -= p != NULL;
	}
	return p ? p->sibling : NULL;
}
