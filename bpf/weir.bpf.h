/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * weir.bpf.h - what every source shares: markers, maps, admission, reserve,
 * submit, account.
 *
 * The invariant: an event that weir_admit() let in is either submitted or
 * counted as lost, on the CPU it happened on; and its time stamp is read
 * after its record was reserved, with a full barrier between (the atomic add
 * in weir_stamp()). The aggregator's order rests on that.
 *
 * A source is one file bpf/<source>.bpf.c: WEIR_SOURCE(), one WEIR_EVENT()
 * for each kind, and programs. Where <what>_tp stands beside <what>, the
 * loader takes the first from Linux 7.0 on (there tracepoints are preemptible
 * and a raw program that is preempted makes the kernel skip it for others)
 * and the second before. A program for SEC("tp/...") must return 1: 0 would
 * hide the event from other tracers of that hook.
 */
#ifndef WEIR_BPF_H
#define WEIR_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "clause.h"
#include "events.h"

/*
 * Markers, read from BTF by user/schema_btf.c; no code, no data at run time.
 * WEIR_HOOK is SEC() for a program that is attached only where one of these
 * kinds (a blank between them; also of other sources) is recorded; others are
 * wherever their source is.
 * WEIR_EVENT points to an array of @number event structs: one variable says
 * both the kind's number and its struct. (Behind a pointer that is a struct's
 * member clang keeps only a forward declaration.)
 */
#define WEIR_SOURCE(name, text)                                                \
	struct weir_source_##name {                                            \
		int unused;                                                    \
	} WEIR_DOC(text);                                                      \
	const struct weir_source_##name *weir_source SEC(".weir.source")

#define WEIR_EVENT(name, number)                                               \
	_Static_assert(sizeof(struct ev_##name) % 8 == 0, "pad " #name);       \
	const struct ev_##name(*weir_event_##name)[number] SEC(".weir.events")

#define WEIR_HOOK(section, kinds)                                              \
	SEC(section) __attribute__((btf_decl_tag("makes:" kinds)))

/*
 * WEIR_KNOB - a constant that few recordings set to another value than this
 *
 * The loader sets it before load, and the verifier prunes what it rules out;
 * but the loads, the spills and the jumps of what is pruned stay. So hot
 * sources are compiled a second time, with WEIR_PLAIN: there it is a constant
 * to clang. The loader takes that one where no knob is turned
 * (user/source_plain.c).
 */
#ifdef WEIR_PLAIN
#define WEIR_IS_PLAIN 1
#define WEIR_KNOB(type, name, ...)                                             \
	static const type name __attribute__((unused)) = __VA_ARGS__
#else
#define WEIR_IS_PLAIN		   0
#define WEIR_KNOB(type, name, ...) const volatile type name = __VA_ARGS__
#endif

/*
 * Set by user/source_load.c. weir_wake_bytes is a quarter of a ring, and
 * weir_look_bytes a 64th, divided by the CPUs that share it; 0 until set: the
 * reader's timer alone.
 */
const volatile __u32 weir_self;	      /* weir's own process, never recorded */
const volatile __u32 weir_errand;     /* nor this one that serves it */
const volatile __u32 weir_shards = 1; /* rings of this source, 2^n */
const volatile __u32 weir_wake_bytes; /* wake the reader each so many bytes */
const volatile __u32 weir_look_bytes; /* and look for it each so many */
WEIR_KNOB(bool, weir_pinned, 0);      /* both of weir's are in the map own */
WEIR_KNOB(bool, weir_follow, 0);      /* record only processes in followed */
WEIR_KNOB(bool, weir_strings, 1);     /* probe_read helpers are allowed */
WEIR_KNOB(bool, weir_task_btf, 1);    /* bpf_get_current_task_btf() exists */
WEIR_KNOB(bool, weir_budget, 0);      /* events may be shed */

#define WEIR_MAX_SHARDS 256 /* SHARDS_MAX in user/source_internal.h */

/*
 * What a source says of itself, by defining these before it includes this
 * file: bytes of its mini-buffer (2^n MiB; from 2 MiB on sharded over CPUs),
 * whether `weir record` alone loads it, and what it is worth.
 */
#ifndef WEIR_RING_BYTES
#define WEIR_RING_BYTES (1 << 20)
#endif
#ifndef WEIR_BY_DEFAULT
#define WEIR_BY_DEFAULT 1
#endif
/* What its events are worth, and so the order they are shed in: 1 is the
 * first; 0: never, as must be where weir_draft() is not what makes them. */
#ifndef WEIR_VALUE
#define WEIR_VALUE 0
#endif
const volatile __u32 weir_ring_bytes = WEIR_RING_BYTES;
const volatile __u32 weir_by_default = WEIR_BY_DEFAULT;
const volatile __u32 weir_value = WEIR_VALUE;

/*
 * The source's mini-buffer, one ring for each shard of the CPUs: CPU n writes
 * to ring n % weir_shards (weir_ring()). The rings themselves are made, and put
 * in here, by user/source_load.c.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WEIR_MAX_SHARDS);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_RINGBUF);
			__uint(max_entries, 4096);
		});
} rings SEC(".maps");

/*
 * struct weir_account by CPU, all that are possible. user/source_load.c sets
 * max_entries, user/source_measure.c maps and reads it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_account);
} account SEC(".maps");

/* struct weir_own: one map for all sources, mapped by user/source_pin.c. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct weir_own);
} own SEC(".maps");

/*
 * Processes that are followed, by tgid, and why (WEIR_FOLLOW_…): one map for
 * all sources, kept by task.bpf.c (follow.bpf.h). One that finds no room in it
 * is not recorded, and counted as missed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} followed SEC(".maps");

/* struct weir_set_key; user/source_filter.c fills it and sets max_entries. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct weir_set_key);
	__type(value, __u8);
} sets SEC(".maps");

/* Is @a, and of a text its second half @b, a member? For clause_eval.h. */
static __always_inline bool weir_set_has(__u32 set, __u64 a, __u64 b)
{
	struct weir_set_key key = {.word = {a, b}, .set = set};

	return bpf_map_lookup_elem(&sets, &key);
}

#include "clause_eval.h"

/*
 * A field of a pointer that is trusted where bpf_get_current_task_btf()
 * exists (5.11), and must be read by helper where it does not.
 */
#define weir_get(p, field)                                                     \
	(weir_task_btf ? (p)->field : BPF_CORE_READ(p, field))

/* The current task, for weir_get(); never NULL. */
static __always_inline struct task_struct *weir_current(void)
{
	if (weir_task_btf)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/*
 * The slot of a CPU, which is to be the one this runs on; others write theirs.
 * NULL only for a number that is not possible.
 */
static __always_inline struct weir_account *weir_account_here(__u32 cpu)
{
	return bpf_map_lookup_elem(&account, &cpu);
}

/*
 * weir_count_lost - an event found no room
 *
 * @lost_first and @lost_last are CLOCK_MONOTONIC ns and bound the losses that
 * user space has not reported yet (@lost_seen). The times are stored without a
 * lock: where a program interrupts another one of its source right here,
 * @lost_last may be the outer one's, older by the time that the inner one took.
 */
static __always_inline void weir_count_lost(struct weir_account *a)
{
	__u64 now = bpf_ktime_get_ns();

	if (a->lost == a->lost_seen)
		a->lost_first = now;
	a->lost_last = now;
	__sync_fetch_and_add(&a->lost, 1);
}

/*
 * Something ended, and the program that tells of it was not run: one event
 * lost at WEIR_STAGE_HOOK, beside what the kernel counts (recursion_misses).
 */
static __always_inline void weir_count_missed(void)
{
	struct weir_account *a;

	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		__sync_fetch_and_add(&a->missed, 1);
}

/* An event that the filter, or the choice of processes, does not want. */
static __always_inline void weir_count_filtered(void)
{
	struct weir_account *a;

	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		__sync_fetch_and_add(&a->filtered, 1);
}

/*
 * The same for what one program alone counts, which the kernel does not enter
 * again on the same CPU: no locked add is needed.
 */
static __always_inline void weir_count_refused(void)
{
	struct weir_account *a;

	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		a->refused++;
}

#include "shed.bpf.h"

/**
 * weir_is_own - is process @pid part of the recorder?
 *
 * Pinned programs outlive who loaded them, so there the two numbers are in a
 * map that the next recorder sets anew, and not in .rodata.
 */
static __always_inline bool weir_is_own(__u32 pid)
{
	struct weir_own *who;
	__u32 zero = 0;

	if (!weir_pinned)
		return pid == weir_self || pid == weir_errand;
	who = bpf_map_lookup_elem(&own, &zero);
	return who && (pid == who->recorder || pid == who->errand);
}

/*
 * weir_forget_own - process @pid has ended: its number may become another's
 *
 * For task.bpf.c where weir_pinned is set; without the map own a no-op.
 */
static __always_inline void weir_forget_own(__u32 pid)
{
	struct weir_own *who;
	__u32 zero = 0;

	who = bpf_map_lookup_elem(&own, &zero);
	if (who && who->recorder == pid)
		who->recorder = WEIR_NOBODY;
	if (who && who->errand == pid)
		who->errand = WEIR_NOBODY;
}

/*
 * weir_admit - does an event of process @pid concern this recording?
 *
 * weir's own process is not part of what happened: not admitted, not counted.
 * Another that is not followed is counted as filtered. So this is called once
 * for each event, where it is sure to be one.
 */
static __always_inline bool weir_admit(__u32 pid)
{
	if (weir_is_own(pid))
		return false;
	if (!weir_follow || bpf_map_lookup_elem(&followed, &pid))
		return true;
	weir_count_filtered();
	return false;
}

/* ---- the filter ---------------------------------------------------------- */

/*
 * weir_comm - the name of the current task, as the task table has it: padded
 * with NULs (which the kernel's own array is not: in older kernels
 * __set_task_comm(), fs/exec.c, copies no further than the NUL), and that of
 * every idle task, whose tid is 0, "swapper".
 *
 * The first NUL is found a word at a time: Mycroft's test, Hacker's Delight
 * 6-1.
 */
static __always_inline void weir_comm(__u64 to[2], __u32 tid)
{
	const __u64 ones = 0x0101010101010101, tops = ones << 7;
	__u64 zero;
	int i;

	to[0] = to[1] = 0;
	if (!tid) {
		__builtin_memcpy(to, "swapper", 8);
		return;
	}
	if (weir_task_btf)
		__builtin_memcpy(to, weir_current()->comm, WEIR_COMM_LEN);
	else
		bpf_get_current_comm(to, WEIR_COMM_LEN);
#pragma unroll
	for (i = 0; i < 2; i++) {
		zero = (to[i] - ones) & ~to[i] & tops; /* lowest: first NUL */
		if (!zero)
			continue;
		to[i] &= ((zero & -zero) >> 7) - 1;
		if (!i)
			to[1] = 0;
	}
}

/*
 * WEIR_FILTERED - WEIR_EVENT() of a kind that can be refused before it is
 * recorded
 * @comm: 1: they are always the current task's; 0: its name is not known
 *
 * Makes weir_filter_<name>, which user/source_filter.c sets before load, and
 * weir_wants_<name>(record), to be asked of a record whose struct is whole.
 * Other kinds are filtered in user space alone, as those must be that the task
 * table is made of.
 */
#define WEIR_FILTERED(name, number, comm_)                                     \
	WEIR_EVENT(name, number);                                              \
	WEIR_KNOB(struct weir_filter, weir_filter_##name,                      \
		  {.tells_comm = comm_});                                      \
	static __noinline bool weir_wants_##name(const struct weir_hdr *h)     \
	{                                                                      \
		const volatile struct weir_filter *f = &weir_filter_##name;    \
		__u64 comm[2];                                                 \
                                                                               \
		if (comm_ && f->comm)                                          \
			weir_comm(comm, h->tid);                               \
		return weir_filter_passes(f, WEIR_CLAUSES, h,                  \
					  comm_ ? comm : NULL);                \
	}

/*
 * WEIR_EARLY - ask the same filter when less is known, as early as that is
 * @at:   name of the place
 * @name: kind, which is WEIR_FILTERED
 * @...:  offsets of the fields that are known there and will not change
 *
 * Makes weir_<at>_<name>, for weir_early(). Where several kinds are asked about
 * at one place, of those whose filters are equal only the first says yes.
 */
#define WEIR_EARLY(at, name, ...)                                              \
	WEIR_KNOB(struct weir_filter, weir_##at##_##name,                      \
		  {.known = {__VA_ARGS__}});                                   \
	static __noinline bool weir_##at##_asks_##name(const void *record)     \
	{                                                                      \
		return weir_filter_passes(&weir_##at##_##name,                 \
					  WEIR_CLAUSES_EARLY, record, NULL);   \
	}

/* weir_early - may an event that begins like @record concern who asked? */
#define weir_early(at, name, record)                                           \
	(!weir_##at##_##name.used ||                                           \
	 (!weir_##at##_##name.never && weir_##at##_asks_##name(record)))

/* weir_early_number - the same where one field is known, which is @v */
#define weir_early_number(at, name, v)                                         \
	(WEIR_IS_PLAIN || weir_filter_passes_number(&weir_##at##_##name,       \
						    WEIR_CLAUSES_EARLY, v))

/* One that knows a single field needs no function. */
#define WEIR_EARLY_NUMBER(at, name, offset)                                    \
	WEIR_KNOB(struct weir_filter, weir_##at##_##name, {.known = {offset}})

#include "record.bpf.h"

#endif
