// SPDX-License-Identifier: BSD-2-Clause
/* What sources lost and what they cost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source_internal.h"

int source_map_account(struct sources *s, struct source *src, int fd)
{
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

/* ---- what the kernel counts of a program --------------------------------- */

struct counters {
	uint64_t runs, ns, missed; /* missed: 5.12 and later; before it 0 */
};

void source_open_info(struct source *src)
{
	struct program *p;
	char path[64];

	for (p = src->programs; p < src->programs + src->program_count; p++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
			 source_program_fd(p));
		p->info_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
}

static uint64_t number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* kernel/bpf/syscall.c, bpf_prog_show_fdinfo() */
static bool from_fdinfo(const struct program *p, struct counters *ret)
{
	char text[1024];
	ssize_t n = -1;

	if (p->info_fd >= 0)
		n = pread(p->info_fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	ret->runs = number_after(text, "\nrun_cnt:\t");
	ret->ns = number_after(text, "\nrun_time_ns:\t");
	ret->missed = number_after(text, "\nrecursion_misses:\t");
	return true;
}

/* Where there is no /proc. */
static void from_kernel(const struct program *p, struct counters *ret)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(source_program_fd(p), &info, &len))
		return;
	ret->runs = info.run_cnt;
	ret->ns = info.run_time_ns;
	ret->missed = info.recursion_misses;
}

static struct counters counters_of(const struct program *p)
{
	struct counters c = {0};

	if (!from_fdinfo(p, &c))
		from_kernel(p, &c);
	return c;
}

/* What the kernel counted, and what the source found out. */
static uint64_t missed_of(const struct sources *s, const struct source *src)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < s->kernel.cpus; i++)
		sum += load(&src->account[i].missed);

	for (i = 0; i < src->program_count; i++)
		if (!source_makes_none(src->programs[i].name))
			sum += counters_of(&src->programs[i]).missed;
	return sum;
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

static void account_source(struct sources *s, unsigned i)
{
	const struct source *src = &s->list[i];
	const struct weir_account *a = src->account;
	struct account_row *row;
	unsigned cpu;

	for (cpu = 0; cpu < s->kernel.cpus; cpu++, a++) {
		row = row_at(s, i, cpu);
		store(&row->submitted, load(&a->submitted));
		store(&row->filtered, load(&a->filtered) + load(&a->refused));
		store(&row->shed, load(&a->shed) + load(&a->passed));
		store(&row->lost_kernel, load(&a->lost));
	}
	store(&row_at(s, i, s->kernel.cpus)->missed, missed_of(s, src));
}

void sources_account(struct sources *s)
{
	unsigned i;

	for (i = 0; i < s->count; i++) {
		if (s->list[i].account)
			account_source(s, i);
	}
}

/* ---- the budget ---------------------------------------------------------- */

void sources_shed(struct sources *s, unsigned i, unsigned log2)
{
	struct weir_account *a = s->list[i].account;
	unsigned cpu;

	for (cpu = 0; a && cpu < s->kernel.cpus; cpu++)
		__atomic_store_n(&a[cpu].shed_log2, log2, __ATOMIC_RELAXED);
}

unsigned sources_shed_log2(const struct sources *s, unsigned i)
{
	return s->list[i].account ? s->list[i].account->shed_log2 : 0;
}

uint64_t sources_asked(const struct sources *s, unsigned i)
{
	const struct weir_account *a = s->list[i].account;
	uint64_t sum = 0;
	unsigned cpu;

	for (cpu = 0; a && cpu < s->kernel.cpus; cpu++)
		sum += load(&a[cpu].asked);
	return sum;
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

static void losses_of_hooks(const struct sources *s, struct source *src,
			    loss_fn fn, void *arg)
{
	uint64_t missed = missed_of(s, src);

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
		losses_of_hooks(s, src, fn, arg);
	}
}

/* ---- cost ---------------------------------------------------------------- */

size_t sources_costs(struct sources *s, struct program_cost *ret, size_t max)
{
	const struct program *p;
	const struct source *src;
	struct counters c;
	size_t n = 0;
	unsigned j;

	for (src = s->list; src < s->list + s->count; src++) {
		for (j = 0; j < src->program_count; j++, n++) {
			p = &src->programs[j];
			if (n >= max)
				continue;
			c = counters_of(p);
			ret[n] = (struct program_cost){
				.source = src->bytes->name,
				.program = p->name,
				.runs = c.runs,
				.ns = c.ns,
				.missed = c.missed,
			};
		}
	}
	return n;
}

int sources_measure(struct sources *s, bool on)
{
	if (s->o.measure)
		return s->o.measure(s->o.measure_arg, on);
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
