// SPDX-License-Identifier: BSD-2-Clause
/* Sources into the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rodata.h"
#include "source_internal.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

const char *source_remedy(const struct sources *s, int err)
{
	/* A program that calls a helper it may not is said to be invalid. */
	if (s->kernel.confidential && err == -EINVAL)
		return " (lockdown=confidentiality refuses what it reads)";
	switch (err) {
	case -EPERM:
	case -EACCES:
		return " (needs CAP_BPF and CAP_PERFMON; try sudo)";
	case -ESRCH:
		return " (the kernel has no BTF: CONFIG_DEBUG_INFO_BTF)";
	case -ENOMEM:
		return " (a smaller --buffer, or a memory limit: ulimit -l, "
		       "or the cgroup's)";
	case -EMFILE:
		return " (ulimit -n)";
	}
	return "";
}

/* ---- before load ------------------------------------------------------------
 */

#define PIN_ROOM 4 /* times as large */

static uint64_t round_up_pow2(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint64_t cpus_of_ring(const struct sources *s, uint64_t shards)
{
	return (s->kernel.cpus + shards - 1) / shards;
}

/*
 * How many rings, and how large: as the source says, or the user. Where they
 * hold what is not in the archive yet, or what nobody takes, larger. On 5.10-rt
 * a ring's lock sleeps, and CPUs that share one hang: there each has its own.
 */
static void size_rings(struct sources *s, struct source *src)
{
	uint64_t total = rodata_get(src->obj, "weir_ring_bytes",
				    SHARD_MIN_BYTES);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), shards;

	if (s->o.pin)
		total *= PIN_ROOM;
	if (s->o.ring_bytes)
		total = round_up_pow2(s->o.ring_bytes);
	shards = round_up_pow2(s->kernel.cpus);
	while (shards > 1 && total / shards < SHARD_MIN_BYTES &&
	       !s->kernel.sleeping_ring)
		shards /= 2;
	if (shards > SHARDS_MAX)
		shards = SHARDS_MAX;
	src->ring_count = 0;
	src->ring_bytes = total / shards < page ? page : total / shards;
	rodata_set(src->obj, "weir_shards", shards);
	rodata_set(src->obj, "weir_wake_bytes", src->ring_bytes / 4);
	rodata_set(src->obj, "weir_look_bytes",
		   src->ring_bytes / 64 / cpus_of_ring(s, shards));
}

/* In all half as large as the mini-buffer that they stand beside. */
static int size_cpu_rings(struct sources *s, struct source *src,
			  struct bpf_map *map)
{
	uint64_t bytes = round_up_pow2(src->ring_bytes *
				       rodata_get(src->obj, "weir_shards", 1) /
				       2 / s->kernel.cpus);

	if (bytes < CPU_RING_MIN)
		bytes = CPU_RING_MIN;
	if (bytes > CPU_RING_MAX)
		bytes = CPU_RING_MAX;
	src->cpu_ring_bytes = bytes;
	rodata_set(src->obj, "weir_cpu_ring_bytes", bytes);
	rodata_set(src->obj, "weir_cpu_ring_half",
		   (uint64_t)__builtin_ctzll(bytes / 2));
	return bpf_map__set_max_entries(map, s->kernel.cpus)
		       ?: bpf_map__set_value_size(
				  map, (uint32_t)(bytes + KRING_CPU_EXTRA));
}

struct set_args {
	struct sources *s;
	struct source *src;
};

/* args_<tracepoint>: how many arguments it has in this kernel. */
static void set_args(void *arg, const char *name)
{
	struct set_args *a = arg;
	int n = source_tracepoint_args(a->s, name + strlen("args_"));

	rodata_set(a->src->obj, name, n > 0 ? (uint64_t)n : 0);
}

static void set_constants(struct sources *s, struct source *src)
{
	struct set_args args = {s, src};
	struct bpf_object *o = src->obj;
	const struct source_scope *scope = s->o.scope;
	uint64_t self = (uint64_t)getpid();

	rodata_set(o, "weir_self", self);
	rodata_set(o, "weir_errand", s->o.errand ? s->o.errand : self);
	rodata_set(o, "weir_pinned", s->own_fd >= 0);
	rodata_set(o, "weir_follow", sources_follow(s));
	rodata_set(o, "weir_follow_trees", scope && scope->tree_count);
	rodata_set(o, "weir_follow_cgroups", scope && scope->cgroup_count);
	rodata_set(o, "weir_strings", !s->kernel.confidential);
	rodata_set(o, "weir_task_btf", s->kernel.task_btf);
	rodata_set(o, "weir_task_storage", s->kernel.task_storage);
	rodata_set(o, "weir_word_type", source_btf_word_type(s));
	rodata_set(o, "weir_budget", s->o.budget && src->value);
	rodata_each(o, "args_", set_args, &args);
}

static int set_maps(struct sources *s, struct source *src)
{
	struct bpf_map *m;
	const char *name;
	int err;

	bpf_object__for_each_map(m, src->obj)
	{
		name = bpf_map__name(m);
		err = 0;
		if (!strcmp(name, "account"))
			err = bpf_map__set_max_entries(m, s->kernel.cpus);
		else if (!strcmp(name, CPU_RINGS))
			err = size_cpu_rings(s, src, m);
		else if (!strcmp(name, "own"))
			err = s->own_fd < 0 ? bpf_map__set_autocreate(m, false)
					    : bpf_map__reuse_fd(m, s->own_fd);
		else if (!strcmp(name, "sets"))
			err = source_size_sets(src, m);
		else if (bpf_map__type(m) == BPF_MAP_TYPE_TASK_STORAGE)
			err = bpf_map__set_autocreate(m,
						      s->kernel.task_storage);
		else if (ends_with(name, "_to_shed"))
			err = bpf_map__set_autocreate(m, s->o.budget);
		else if (ends_with(name, "_by_task"))
			err = bpf_map__set_autocreate(m,
						      !s->kernel.task_storage);
		if (err)
			return err;
	}
	return source_share_followed(s, src);
}

/* ---- which programs ------------------------------------------------------ */

bool source_is_iter(const struct program *p)
{
	return !strncmp(bpf_program__section_name(p->prog), "iter/", 5);
}

int source_program_fd(const struct program *p)
{
	return p->fd >= 0 ? p->fd : bpf_program__fd(p->prog);
}

static bool is_raw(const struct bpf_program *p)
{
	const char *sec = bpf_program__section_name(p);

	return !strncmp(sec, "tp_btf/", 7) || !strncmp(sec, "raw_tp/", 7);
}

/* The <what>_tp beside <what>, or the <what> beside <what>_tp. */
static bool has_twin(const struct source *src, const char *name, bool tp)
{
	char twin[128];

	if (tp)
		snprintf(twin, sizeof(twin), "%s_tp", name);
	else
		snprintf(twin, sizeof(twin), "%.*s", (int)strlen(name) - 3,
			 name);
	return bpf_object__find_program_by_name(src->obj, twin) != NULL;
}

bool source_makes_none(const char *name)
{
	return ends_with(name, "_followed");
}

/*
 * From 7.0 on tracepoints are preemptible, and a raw program preempted on a
 * CPU makes the kernel skip it there for every other task: tp programs keep
 * preemption off. Without tracefs they cannot attach; raw ones then do, and
 * recursion_misses tells what was skipped.
 */
static bool wants_program(struct sources *s, struct source *src,
			  const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);
	const char *sec = bpf_program__section_name(p);
	bool use_tp = s->kernel.preemptible_tp && s->kernel.tracefs;

	if (source_makes_none(name) && !sources_follow(s))
		return false;
	if (ends_with(name, "_tp") && has_twin(src, name, false))
		return use_tp;
	if (has_twin(src, name, true) && use_tp)
		return false;
	if (!is_raw(p))
		return true;
	return source_tracepoint_args(s, strchr(sec, '/') + 1) >= 0;
}

void source_choose_programs(struct sources *s, struct source *src)
{
	struct bpf_program *p;
	bool yes;

	src->program_count = 0;
	bpf_object__for_each_program(p, src->obj)
	{
		yes = wants_program(s, src, p) &&
		      source_makes_wanted(s, src, p) &&
		      src->program_count < PROGRAMS_MAX;
		bpf_program__set_autoload(p, yes);
		if (!yes)
			continue;
		src->programs[src->program_count++] = (struct program){
			.prog = p,
			.name = bpf_program__name(p),
			.fd = -1,
			.info_fd = -1,
			.end_fd = -1,
		};
	}
}

/* ---- load ---------------------------------------------------------------- */

/*
 * The kernel waits for a grace period after each update of a map of maps, but
 * only once for a batch (maybe_wait_bpf_programs() in kernel/bpf/syscall.c);
 * older ones know no batch of these.
 */
static int put_rings(int outer, const int *fds, uint32_t count)
{
	uint32_t keys[SHARDS_MAX] = {0}, i, done = count;

	for (i = 0; i < count; i++)
		keys[i] = i;
	if (!bpf_map_update_batch(outer, keys, fds, &done, NULL))
		return 0;
	for (i = 0; i < count; i++)
		if (bpf_map_update_elem(outer, &i, &fds[i], BPF_ANY))
			return -errno;
	return 0;
}

static int make_rings(struct source *src)
{
	int outer = bpf_object__find_map_fd_by_name(src->obj, "rings"), fd;
	uint32_t shards;

	shards = (uint32_t)rodata_get(src->obj, "weir_shards", 1);
	while (src->ring_count < shards) {
		fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "weir_ring", 0, 0,
				    (uint32_t)src->ring_bytes, NULL);
		if (fd < 0)
			return -errno;
		src->ring_fds[src->ring_count++] = fd;
	}
	return put_rings(outer, src->ring_fds, shards);
}

/* A descriptor of its own, to be closed as one that was taken over. */
static int keep_cpu_rings(struct sources *s, struct source *src)
{
	int fd = bpf_object__find_map_fd_by_name(src->obj, CPU_RINGS);

	if (fd < 0)
		return 0;
	src->cpu_rings_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (src->cpu_rings_fd < 0)
		return -errno;
	src->cpu_ring_count = s->kernel.cpus;
	return 0;
}

static int account_fd(const struct source *src)
{
	return bpf_object__find_map_fd_by_name(src->obj, "account");
}

/* libbpf gives -EINVAL where the verifier or a map type said no. */
static int load_object(struct sources *s, struct source *src)
{
	int err;

	size_rings(s, src);
	set_constants(s, src);
	err = source_plain_take(s, src);
	if (err)
		return err;
	source_choose_programs(s, src);
	err = set_maps(s, src);
	if (!err)
		err = bpf_object__load(src->obj);
	if (!err)
		err = make_rings(src);
	if (!err)
		err = keep_cpu_rings(s, src);
	if (!err)
		err = source_fill_sets(src);
	if (!err)
		err = source_map_account(s, src, account_fd(src));
	if (!err)
		source_open_info(src);
	return err;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void source_close_rings(struct source *src)
{
	while (src->ring_count)
		close(src->ring_fds[--src->ring_count]);
	close_fd(&src->cpu_rings_fd);
	src->cpu_ring_count = 0;
}

void source_close_programs(struct source *src)
{
	struct program *p = src->programs;

	for (; src->program_count; src->program_count--, p++) {
		close_fd(&p->fd);
		close_fd(&p->info_fd);
		close_fd(&p->end_fd);
	}
}

static void load_source(struct sources *s, struct source *src)
{
	int err = load_object(s, src);

	src->on = !err;
	if (!err)
		return;
	source_fail(src, "%s%s", strerror(-err), source_remedy(s, err));
	source_close_rings(src);
	source_close_programs(src);
}

unsigned source_count_on(const struct sources *s)
{
	unsigned i, n = 0;

	for (i = 0; i < s->count; i++)
		n += s->list[i].on && s->list[i].has_programs;
	return n;
}

/* Those to load, task first. Return: how many. */
unsigned source_wanted(struct sources *s, struct source **ret)
{
	struct source *task = source_of_task(s), *src;
	unsigned n = 0;

	if (task)
		ret[n++] = task;
	for (src = s->list; src < s->list + s->count; src++) {
		if (src != task && src->wanted && src->has_programs)
			ret[n++] = src;
	}
	return n;
}

struct loader {
	struct sources *s;
	struct source *src;
	pthread_t thread;
	bool started;
};

static void *load_one(void *arg)
{
	struct loader *l = arg;
	struct source *task = source_of_task(l->s);

	if (!l->s->kernel_btf)
		source_fail(l->src, "/sys/kernel/btf/vmlinux cannot be read%s",
			    source_remedy(l->s, -ESRCH));
	else if (sources_follow(l->s) && l->src != task && !task->on)
		source_fail(l->src, "source 'task' is off: %s", task->why);
	else
		load_source(l->s, l->src);
	return NULL;
}

static void join_one(struct loader *l)
{
	if (l->started)
		pthread_join(l->thread, NULL);
	l->started = false;
}

/*
 * Objects know nothing of each other, and relocating and verifying them is
 * most of the time that starting takes: each is loaded by a thread of its
 * own. Only when processes are followed must task be there first.
 */
int sources_load(struct sources *s)
{
	struct loader loaders[SOURCES_MAX] = {0};
	struct source *list[SOURCES_MAX];
	unsigned n = source_wanted(s, list), i;
	int err = source_btf_fill(s, list, n);

	if (!err && s->o.pin)
		err = source_make_own(s);
	if (err)
		return err;
	for (i = 0; i < n; i++) {
		loaders[i].s = s;
		loaders[i].src = list[i];
		loaders[i].started = !pthread_create(&loaders[i].thread, NULL,
						     load_one, &loaders[i]);
		if (!loaders[i].started)
			load_one(&loaders[i]);
		if (!i && sources_follow(s))
			join_one(&loaders[0]);
	}
	for (i = 0; i < n; i++)
		join_one(&loaders[i]);
	source_btf_drop(s);
	return source_count_on(s) ? sources_follow_first(s) : -EOPNOTSUPP;
}
