// SPDX-License-Identifier: BSD-2-Clause
/* Sources that are loaded: attached, walked, detached. */
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "source_internal.h"

#define WALK_NAP_NS NS_PER_MS /* while the aggregator makes room */
#define WALK_TRIES  5000
#define GRACE_NS    (20 * NS_PER_MS)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool is_for_the_end(const struct program *p)
{
	const char *end = strrchr(p->name, '_');

	return end && !strcmp(end, "_end");
}

/* Of what the hooks keep: it must be there, and as they keep it. */
static bool is_of_map(const struct program *p)
{
	return !strcmp(bpf_program__section_name(p->prog), "iter/bpf_map_elem");
}

/* ---- attach -------------------------------------------------------------- */

/* The map that <source>__<map>_end is of. Return: borrowed; negative. */
static int map_of(const struct source *src, const struct program *p)
{
	const char *map = p->name + strlen(src->bytes->name) + strlen("__");
	char name[64];

	snprintf(name, sizeof(name), "%.*s",
		 (int)(strlen(map) - strlen("_end")), map);
	return bpf_object__find_map_fd_by_name(src->obj, name);
}

static struct bpf_link *attach_iter(const struct source *src,
				    const struct program *p)
{
	union bpf_iter_link_info about;
	LIBBPF_OPTS(bpf_iter_attach_opts, opts);

	if (is_of_map(p)) {
		about.map.map_fd = (uint32_t)map_of(src, p);
		opts.link_info = &about;
		opts.link_info_len = sizeof(about.map);
	}
	return bpf_program__attach_iter(p->prog, &opts);
}

/* What source_btf.c has loaded is known to libbpf by its type alone. */
static struct bpf_link *attach_program(const struct source *src,
				       const struct program *p)
{
	if (source_is_iter(p))
		return attach_iter(src, p);
	return bpf_program__type(p->prog) == BPF_PROG_TYPE_TRACING
		       ? bpf_program__attach_trace(p->prog)
		       : bpf_program__attach(p->prog);
}

static void attach_one(const struct sources *s, struct source *src)
{
	struct program *p;
	unsigned i;
	int err;

	if (!src->on || s->taken)
		return;
	for (i = 0; i < src->program_count; i++) {
		p = &src->programs[i];
		p->link = attach_program(src, p);
		if (p->link)
			continue;
		err = -errno;
		source_fail(src, "%s cannot attach: %s%s", p->name,
			    strerror(-err), source_remedy(s, err));
		return;
	}
}

static void detach_one(struct source *src)
{
	unsigned i;

	for (i = 0; i < src->program_count; i++) {
		bpf_link__destroy(src->programs[i].link);
		src->programs[i].link = NULL;
	}
}

/* ---- iterators ----------------------------------------------------------- */

/* A program that finds its ring full returns 1, which read(2) says as EAGAIN.
 */
static int read_to_end(int fd)
{
	char page[4096];
	int tries = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, page, sizeof(page));
		if (n == 0)
			return 0;
		if (n > 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN || tries++ >= WALK_TRIES)
			return -errno;
		clock_sleep(WALK_NAP_NS);
	}
}

/* A walk that begins when it is read. Return: descriptor; -errno. */
static int open_iter(const struct program *p)
{
	int fd = bpf_iter_create(bpf_link__fd(p->link));

	return fd < 0 ? -errno : fd;
}

/* Return: 0; -errno. */
static int run_iter(struct source *src, const struct program *p, int fd)
{
	int err = fd < 0 ? fd : read_to_end(fd);

	if (err)
		snprintf(src->why, sizeof(src->why), "%s ended early: %s",
			 p->name,
			 err == -EAGAIN ? "no room in its buffer"
					: strerror(-err));
	close_fd(&fd);
	return err;
}

/* Those for the end are opened now: then there may be no right to it. */
static void begin_iters(struct source *src)
{
	struct program *p;
	unsigned i;

	for (i = 0; src->on && i < src->program_count; i++) {
		p = &src->programs[i];
		if (!source_is_iter(p))
			continue;
		if (is_for_the_end(p))
			p->end_fd = open_iter(p);
		else
			(void)run_iter(src, p, open_iter(p)); /* says why */
	}
}

static void end_iters(struct source *src, bool of_maps)
{
	struct program *p;
	unsigned i;

	for (i = 0; src->on && i < src->program_count; i++) {
		p = &src->programs[i];
		if (!source_is_iter(p) || !is_for_the_end(p) ||
		    is_of_map(p) != of_maps)
			continue;
		if (run_iter(src, p, p->end_fd))
			src->cut = true;
		p->end_fd = -1;
	}
}

/*
 * What is alive is in the stream before any other source can speak of it: a
 * task that makes an event is one that the walk saw, or whose fork was seen, or
 * that a hook has introduced (task.bpf.c). One that was past its exit hook
 * before that was attached, and has yet to leave its CPU after all this, has no
 * name: nothing leads to it any more.
 */
int sources_attach(struct sources *s)
{
	struct source *list[SOURCES_MAX];
	unsigned n = source_wanted(s, list), i;

	for (i = 0; i < n; i++) {
		attach_one(s, list[i]);
		if (!list[i]->on)
			detach_one(list[i]); /* a half is none */
		begin_iters(list[i]);
	}
	return source_count_on(s) ? 0 : -EOPNOTSUPP;
}

/* ---- detach -------------------------------------------------------------- */

/*
 * Wait until no program that was running when its link went is running any
 * more. MEMBARRIER_CMD_GLOBAL is synchronize_rcu() (kernel/sched/membarrier.c);
 * programs run with preemption off, which that waits for.
 */
void source_grace_period(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		clock_sleep(GRACE_NS);
}

void sources_halt(struct sources *s)
{
	source_stop(s, WEIR_STOP_HOOKS);
}

void sources_detach(struct sources *s)
{
	unsigned i;

	source_stop(s, WEIR_STOP_HOOKS);
	if (s->own)
		source_grace_period(); /* as in sources_remove_pinned() */
	for (i = 0; i < s->count; i++) {
		end_iters(&s->list[i], true);
		detach_one(&s->list[i]);
	}
	source_grace_period();
	for (i = 0; i < s->count; i++)
		end_iters(&s->list[i], false);
	if (!s->own)
		return;
	source_stop(s, WEIR_STOP_ALL);
	source_grace_period();
}

void sources_free(struct sources *s)
{
	struct source *src;
	unsigned i;

	if (!s)
		return;
	for (i = 0; i < s->count; i++) {
		src = &s->list[i];
		detach_one(src);
		source_close_rings(src);
		source_close_programs(src);
		if (src->account)
			munmap(src->account, src->account_bytes);
		bpf_object__close(src->obj);
		free(src->keys);
		free(src->as_built);
	}
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	if (s->own)
		munmap(s->own, (size_t)sysconf(_SC_PAGESIZE));
	close_fd(&s->own_fd);
	source_btf_close(s);
	schema_free(s->schema);
	free(s->rows);
	free(s);
}
