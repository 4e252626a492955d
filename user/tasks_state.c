// SPDX-License-Identifier: BSD-2-Clause
/* The task table as events. Written here, never read: see tasks.c. */
#include <string.h>

#include "../bpf/events.h"
#include "tasks.h"

struct state {
	uint64_t ts;
	int (*fn)(void *arg, const void *record, size_t len);
	void *arg;
	union {
		struct weir_hdr h;
		struct ev_task_alive alive;
		struct ev_cgroup_path cgroup;
		uint8_t room[sizeof(struct ev_task_alive) + WEIR_STR_MAX];
	};
};

/* One that was cut says so here, too. */
static size_t put_tail(struct weir_str *s, void *record, size_t at,
		       const char *text, size_t len, uint32_t full)
{
	if (len > WEIR_STR_MAX)
		len = WEIR_STR_MAX;
	s->off = at;
	s->len = len;
	s->full = full;
	memcpy((uint8_t *)record + at, text, len);
	return at + len;
}

static int put_record(struct state *st, uint16_t kind, size_t len, uint32_t pid,
		      uint32_t tid)
{
	st->h.ts = st->ts;
	st->h.kind = kind;
	st->h.len = len;
	st->h.flags = WEIR_F_CONTEXT;
	st->h.pid = pid;
	st->h.tid = tid;
	return st->fn(st->arg, &st->h, len);
}

static int put_task(void *arg, const struct task *task)
{
	struct state *st = arg;
	struct ev_task_alive *ev = &st->alive;
	size_t len;

	memset(ev, 0, sizeof(*ev));
	ev->start_time = task->start_time;
	ev->cgroup = task->cgroup ? task->cgroup->id : 0;
	ev->ppid = task->ppid;
	ev->uid = task->uid;
	ev->kthread = task->kthread;
	memcpy(ev->task_comm, task->comm, WEIR_COMM_LEN);
	len = put_tail(&ev->file, ev, sizeof(*ev), task->exe, task->exe_len,
		       task->exe_full);
	return put_record(st, EV_TASK_ALIVE, len, task->pid, task->tid);
}

static int put_cgroup(void *arg, const struct cgroup *c)
{
	struct state *st = arg;
	struct ev_cgroup_path *ev = &st->cgroup;
	size_t len;

	memset(ev, 0, sizeof(*ev));
	ev->cgroup = c->id;
	len = put_tail(&ev->path, ev, sizeof(*ev), c->path, strlen(c->path),
		       c->path_full);
	return put_record(st, EV_CGROUP_PATH, len, 0, 0);
}

int tasks_state(const struct tasks *t, uint64_t ts,
		int (*fn)(void *arg, const void *record, size_t len), void *arg)
{
	struct state st = {.ts = ts, .fn = fn, .arg = arg};
	int err = tasks_each_cgroup(t, put_cgroup, &st);

	return err ? err : tasks_each(t, put_task, &st);
}
