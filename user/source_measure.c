// SPDX-License-Identifier: BSD-2-Clause
/* What sources lost and what they cost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source_internal.h"

int source_map_account(struct sources *s, struct source *src)
{
	int fd = bpf_object__find_map_fd_by_name(src->obj, "account");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = s->kernel.cpus * sizeof(struct weir_account);
	void *p;

	bytes = (bytes + page - 1) / page * page;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	src->account = p;
	src->account_bytes = bytes;
	return 0;
}

static uint64_t load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* ---- account ------------------------------------------------------------- */

struct account_row *sources_rows(struct sources *s, size_t *ret_count)
{
	struct account_row *row = s->rows;
	unsigned i, cpu;

	*ret_count = (size_t)s->count * (s->kernel.cpus + 1);
	for (i = 0; i < s->count; i++) {
		for (cpu = 0; cpu <= s->kernel.cpus; cpu++, row++) {
			snprintf(row->source, sizeof(row->source), "%s",
				 s->list[i].bytes->name);
			row->cpu = cpu < s->kernel.cpus ? cpu : ACCOUNT_ANY_CPU;
		}
	}
	return s->rows;
}

static struct account_row *row_at(struct sources *s, unsigned i, unsigned cpu)
{
	return &s->rows[i * (s->kernel.cpus + 1) + cpu];
}

/* Return: recursion_misses of a program (5.12 and later; before it 0). */
static uint64_t missed_by(const struct program *p, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(bpf_program__fd(p->prog), info, &len))
		return 0;
	return info->recursion_misses;
}

static uint64_t missed_of(const struct source *src)
{
	struct bpf_prog_info info;
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < src->program_count; i++)
		sum += missed_by(&src->programs[i], &info);
	return sum;
}

static void account_source(struct sources *s, unsigned i)
{
	const struct source *src = &s->list[i];
	const struct weir_account *a = src->account;
	struct account_row *row;
	unsigned cpu;

	for (cpu = 0; cpu < s->kernel.cpus; cpu++, a++) {
		row = row_at(s, i, cpu);
		store(&row->submitted, load(&a->submitted));
		store(&row->filtered, load(&a->filtered));
		store(&row->shed, load(&a->shed));
		store(&row->lost_kernel, load(&a->lost));
	}
	store(&row_at(s, i, s->kernel.cpus)->missed, missed_of(src));
}

void sources_account(struct sources *s)
{
	unsigned i;

	for (i = 0; i < s->count; i++) {
		if (s->list[i].account)
			account_source(s, i);
	}
}

/* ---- losses -------------------------------------------------------------- */

typedef void (*loss_fn)(void *arg, const char *source, uint32_t cpu,
			unsigned stage, uint64_t count, uint64_t first,
			uint64_t last);

/*
 * The kernel notes the time of the first loss that comes when lost equals
 * lost_seen. One between our two steps leaves an older first: a wider span,
 * never a narrower one.
 */
static void losses_of_cpu(const struct source *src, unsigned cpu, loss_fn fn,
			  void *arg)
{
	struct weir_account *a = &src->account[cpu];
	uint64_t lost = load(&a->lost), seen = a->lost_seen;
	uint64_t first, last;

	if (lost == seen)
		return;
	first = load(&a->lost_first);
	last = load(&a->lost_last);
	__atomic_store_n(&a->lost_seen, lost, __ATOMIC_RELEASE);
	fn(arg, src->bytes->name, cpu, WEIR_STAGE_KERNEL_RING, lost - seen,
	   first, last);
}

static void losses_of_hooks(struct source *src, loss_fn fn, void *arg)
{
	uint64_t missed = missed_of(src);

	if (missed <= src->reported_missed)
		return;
	fn(arg, src->bytes->name, ACCOUNT_ANY_CPU, WEIR_STAGE_HOOK,
	   missed - src->reported_missed, 0, 0);
	src->reported_missed = missed;
}

void sources_losses(struct sources *s,
		    void (*fn)(void *arg, const char *source, uint32_t cpu,
			       unsigned stage, uint64_t count, uint64_t first,
			       uint64_t last),
		    void *arg)
{
	struct source *src;
	unsigned i, cpu;

	for (i = 0; i < s->count; i++) {
		src = &s->list[i];
		if (!src->account)
			continue;
		for (cpu = 0; cpu < s->kernel.cpus; cpu++)
			losses_of_cpu(src, cpu, fn, arg);
		losses_of_hooks(src, fn, arg);
	}
}

/* ---- cost ---------------------------------------------------------------- */

size_t sources_costs(struct sources *s, struct program_cost *ret, size_t max)
{
	struct bpf_prog_info info;
	const struct program *p;
	const struct source *src;
	size_t n = 0;
	unsigned j;

	for (src = s->list; src < s->list + s->count; src++) {
		for (j = 0; j < src->program_count; j++, n++) {
			p = &src->programs[j];
			if (n >= max)
				continue;
			ret[n].missed = missed_by(p, &info);
			ret[n].source = src->bytes->name;
			ret[n].program = p->name;
			ret[n].runs = info.run_cnt;
			ret[n].ns = info.run_time_ns;
		}
	}
	return n;
}

int sources_measure(struct sources *s, bool on)
{
	if (!on && s->stats_fd >= 0) {
		close(s->stats_fd);
		s->stats_fd = -1;
	} else if (on && s->stats_fd < 0) {
		s->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (s->stats_fd < 0)
			return -errno;
	}
	return 0;
}
