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
 * kinds (a blank between them) is wanted; others are wherever their source is.
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

/* Set by user/source.c before load; the verifier prunes what they rule out. */
const volatile __u32 weir_self;	       /* weir's own process, never recorded */
const volatile __u32 weir_errand;      /* nor this one that serves it */
const volatile bool weir_pinned;       /* both are in the map own instead */
const volatile __u32 weir_shards = 1;  /* rings of this source, 2^n */
const volatile __u32 weir_wake_bytes;  /* wake the reader each so many bytes */
const volatile bool weir_follow;       /* record only processes in followed */
const volatile bool weir_strings = 1;  /* probe_read helpers are allowed */
const volatile bool weir_task_btf = 1; /* bpf_get_current_task_btf() exists */
const volatile bool weir_budget;       /* events may be shed */

#define WEIR_MAX_SHARDS 256

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

/* The source's mini-buffer, one ring for each shard of the CPUs. */
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

/* struct weir_account by CPU; user/source.c sets max_entries, and maps it. */
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

/* Processes that are followed, and why (WEIR_FOLLOW_…): one map, kept by
 * task.bpf.c. */
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

static __always_inline struct task_struct *weir_current(void)
{
	if (weir_task_btf)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline struct weir_account *weir_account_here(__u32 cpu)
{
	return bpf_map_lookup_elem(&account, &cpu);
}

/* On a foreign clock the kernel writes; only its order of magnitude matters. */
static __always_inline void weir_count_lost(struct weir_account *a)
{
	__u64 now = bpf_ktime_get_ns();

	if (a->lost == a->lost_seen)
		a->lost_first = now;
	a->lost_last = now;
	__sync_fetch_and_add(&a->lost, 1);
}

/* Something ended, and the program that tells of it was not run. */
static __always_inline void weir_count_missed(void)
{
	struct weir_account *a;

	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		__sync_fetch_and_add(&a->missed, 1);
}

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

/** weir_is_own - is process @pid part of the recorder? */
static __always_inline bool weir_is_own(__u32 pid)
{
	struct weir_own *who;
	__u32 zero = 0;

	if (!weir_pinned)
		return pid == weir_self || pid == weir_errand;
	who = bpf_map_lookup_elem(&own, &zero);
	return who && (pid == who->recorder || pid == who->errand);
}

/* weir_forget_own - @pid has ended: its number may become another's */
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
 * with NULs (which the kernel's own array is not), and that of every idle task
 * "swapper".
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
 * Makes weir_wants_<name>(record). Other kinds are filtered in user space
 * alone, as those must be that the task table is made of.
 */
#define WEIR_FILTERED(name, number, comm_)                                     \
	WEIR_EVENT(name, number);                                              \
	const volatile struct weir_filter weir_filter_##name = {               \
		.tells_comm = comm_,                                           \
	};                                                                     \
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
	const volatile struct weir_filter weir_##at##_##name = {               \
		.known = {__VA_ARGS__},                                        \
	};                                                                     \
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
	weir_filter_passes_number(&weir_##at##_##name, WEIR_CLAUSES_EARLY, v)

/* One that knows a single field needs no function. */
#define WEIR_EARLY_NUMBER(at, name, offset)                                    \
	const volatile struct weir_filter weir_##at##_##name = {               \
		.known = {offset},                                             \
	}

/* ---- records of a fixed size --------------------------------------------- */

/* Links that are pinned end some time after they are removed: this is at once.
 */
static __always_inline bool weir_is_stopped(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, zero = 0;
	struct weir_own *who = bpf_map_lookup_elem(&own, &zero);

	return who && who->stopped &&
	       (who->stopped != WEIR_STOP_HOOKS || pid != who->recorder);
}

static __always_inline void *weir_ring(__u32 cpu)
{
	__u32 shard = cpu & (weir_shards - 1);

	if (weir_pinned && weir_is_stopped())
		return NULL;
	return bpf_map_lookup_elem(&rings, &shard);
}

/*
 * weir_stamp - fill the header of a record just reserved.
 *
 * The add is the full barrier between reservation and clock (x86: lock add).
 */
static __always_inline void weir_stamp(struct weir_hdr *h,
				       struct weir_account *a, __u32 cpu,
				       __u16 kind, __u16 len)
{
	__u64 id = bpf_get_current_pid_tgid();

	__sync_fetch_and_add(&a->submitted, 1);
	h->kind = kind;
	h->cpu = cpu;
	h->len = len;
	h->flags = 0;
	h->pid = id >> 32;
	h->tid = id;
	h->ts = bpf_ktime_get_ns();
}

static __always_inline void *weir_reserve_kind(__u16 kind, const __u64 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	void *ring = weir_ring(cpu);
	void *rec;

	if (!a || !ring)
		return NULL;
	rec = bpf_ringbuf_reserve(ring, size, 0);
	if (!rec) {
		weir_count_lost(a);
		return NULL;
	}
	weir_stamp(rec, a, cpu, kind, size);
	return rec;
}

/*
 * weir_reserve - reserve and stamp a record of a fixed-size kind.
 *
 * Return: struct ev_<name> *, to be filled and given to weir_submit(); NULL
 * when the mini-buffer is full (counted). Header pid and tid are the current
 * task's; a hook that speaks of another task overwrites them.
 */
#define weir_reserve(name, kind)                                               \
	((struct ev_##name *)weir_reserve_kind(kind, sizeof(struct ev_##name)))

/*
 * weir_submit - hand over a record.
 *
 * No wakeup but one for each weir_wake_bytes that pile up (a crossing seen
 * by two CPUs at once may be missed: the reader's timer is the fallback).
 * Return: 1, what a program on a hook returns.
 */
static __always_inline int weir_submit_len(void *rec, __u64 size)
{
	__u64 flags = BPF_RB_NO_WAKEUP, step = weir_wake_bytes, avail;
	void *ring;

	if (step) {
		ring = weir_ring(bpf_get_smp_processor_id());
		avail = ring ? bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) : 0;
		if ((avail ^ (avail - size)) & ~(step - 1))
			flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(rec, flags);
	return 1;
}

#define weir_submit(ev) weir_submit_len(ev, sizeof(*(ev)))

/* Stamp a copied record; the header's pid and tid are the original's. */
static __always_inline void weir_restamp(struct weir_hdr *h,
					 const struct weir_hdr *from,
					 struct weir_account *a, __u32 cpu,
					 __u16 kind, __u16 len)
{
	__sync_fetch_and_add(&a->submitted, 1);
	h->kind = kind;
	h->cpu = cpu;
	h->len = len;
	h->flags = from->flags;
	h->pid = from->pid;
	h->tid = from->tid;
	h->ts = bpf_ktime_get_ns();
}

/* ---- records that a filter may refuse ------------------------------------ */

/* Nothing but the header is set: what a filter is asked about must be whole. */
static __always_inline void *weir_image(struct weir_hdr *h, __u16 kind,
					const __u64 size)
{
	__u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(h, 0, size);
	h->ts = bpf_ktime_get_ns();
	h->kind = kind;
	h->cpu = bpf_get_smp_processor_id();
	h->pid = id >> 32;
	h->tid = id;
	return h;
}

static __always_inline void *
weir_draft_kind(const volatile struct weir_filter *f, struct weir_hdr *image,
		__u16 kind, const __u64 size)
{
	if (!f->used)
		return weir_reserve_kind(kind, size);
	if (!f->never)
		return weir_image(image, kind, size);
	weir_count_filtered();
	return NULL;
}

static __always_inline void *
weir_draft_turn(const volatile struct weir_filter *f, struct weir_hdr *image,
		__u16 kind, const __u64 size)
{
	struct weir_hdr *h;
	int turn = 0;

	if (!f->never)
		turn = weir_shed();
	if (turn < 0)
		return NULL;
	h = weir_draft_kind(f, image, kind, size);
	if (h)
		weir_weigh(h, turn);
	return h;
}

static __always_inline int weir_commit_image(const struct weir_hdr *image,
					     __u16 kind, const __u64 size)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	void *ring = weir_ring(cpu), *rec;

	if (!a || !ring)
		return 1;
	rec = bpf_ringbuf_reserve(ring, size, 0);
	if (!rec) {
		weir_count_lost(a);
		return 1;
	}
	__builtin_memcpy(rec, image, size);
	weir_restamp(rec, image, a, cpu, kind, size);
	return weir_submit_len(rec, size);
}

/*
 * weir_draft - begin an event of a kind that is WEIR_FILTERED
 * @image: struct ev_<name> on the stack; may stay unused
 *
 * As weir_reserve(), but where a filter is set nothing is reserved before
 * weir_commit() has asked it. h.ts is then the time of the draft, and the
 * record's own is later; spans end at the draft, so that the filter sees what
 * is recorded. The budget is asked before either; what it sheds is counted.
 */
#define weir_draft(name, kind_, image)                                         \
	((struct ev_##name *)weir_draft_turn(&weir_filter_##name, &(image)->h, \
					     kind_, sizeof(struct ev_##name)))

/* The same of an event that the budget was asked about when it began. */
#define weir_draft_begun(name, kind_, image)                                   \
	((struct ev_##name *)weir_draft_kind(&weir_filter_##name, &(image)->h, \
					     kind_, sizeof(struct ev_##name)))

/* weir_commit - record what weir_draft() gave, or count it as filtered. */
#define weir_commit(name, kind_, ev)                                           \
	({                                                                     \
		int ret_ = 1;                                                  \
                                                                               \
		if (!weir_filter_##name.used)                                  \
			ret_ = weir_submit(ev);                                \
		else if (weir_wants_##name(&(ev)->h))                          \
			ret_ = weir_commit_image(&(ev)->h, kind_,              \
						 sizeof(*(ev)));               \
		else                                                           \
			weir_count_filtered();                                 \
		ret_;                                                          \
	})

/* ---- records with strings ------------------------------------------------ */

/*
 * bpf_ringbuf_reserve() wants a constant size, and the time stamp must come
 * after it. So an event with strings is put together in the CPU's scratch
 * record, then copied into a record of the next larger size class. Hooks that
 * use it run with preemption off (raw below 7.0, tp from there on), so one
 * scratch for each CPU and source is enough where the hook does not nest.
 */
#define WEIR_RECORD_MAX	 12288
#define WEIR_SCRATCH_MAX (WEIR_RECORD_MAX + WEIR_STR_MAX)

/* weir_room - has the ring here room for a largest record? For iterators. */
static __always_inline bool weir_room(void)
{
	void *ring = weir_ring(bpf_get_smp_processor_id());
	__u64 used, size;

	if (!ring)
		return false;
	used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	size = bpf_ringbuf_query(ring, 1 /* BPF_RB_RING_SIZE */);
	return size - used > 4 * WEIR_RECORD_MAX || used < size / 2;
}

/* Iterators can be preempted by hooks, so they have a slot of their own. */
enum weir_slot { WEIR_SLOT_HOOK, WEIR_SLOT_ITER, WEIR_SLOTS };

struct weir_scratch {
	__u8 data[WEIR_SCRATCH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_SLOTS);
	__type(key, __u32);
	__type(value, struct weir_scratch);
} scratch SEC(".maps");

/*
 * weir_begin - the CPU's scratch record of @slot, header filled for the
 * current task; never NULL in fact.
 */
static __always_inline void *weir_begin(__u32 slot)
{
	struct weir_hdr *h = bpf_map_lookup_elem(&scratch, &slot);
	__u64 id;

	if (!h)
		return NULL;
	id = bpf_get_current_pid_tgid();
	h->pid = id >> 32;
	h->tid = id;
	h->flags = 0;
	return h;
}

/* Where the next string goes; 0 when no more fits. */
static __always_inline __u32 weir_tail(__u32 pos)
{
	return pos <= WEIR_RECORD_MAX - WEIR_STR_MAX ? pos : 0;
}

enum weir_from { WEIR_FROM_KERNEL, WEIR_FROM_USER };

/* One more than is kept, to tell a string just as long from one cut there. */
#define WEIR_STR_READ (WEIR_STR_MAX + 1)

/*
 * weir_put_str - append a NUL-terminated string to the scratch record
 * @base: scratch record
 * @s:    descriptor inside it
 * @pos:  end of the record so far
 *
 * Return: new end of the record. A string that cannot be read is recorded as
 * such; one cut at WEIR_STR_MAX - 1 has a @full larger than its @len.
 */
static __always_inline __u32 weir_put_str(void *base, struct weir_str *s,
					  __u32 pos, const void *from,
					  enum weir_from where)
{
	__u32 at = weir_tail(pos);
	long n;

	s->off = at;
	s->len = 0;
	s->full = WEIR_STR_UNKNOWN;
	if (!weir_strings || !at || !from)
		return pos;
	if (where == WEIR_FROM_USER)
		n = bpf_probe_read_user_str(base + at, WEIR_STR_READ, from);
	else
		n = bpf_probe_read_kernel_str(base + at, WEIR_STR_READ, from);
	if (n <= 0 || n > WEIR_STR_READ)
		return pos;
	s->full = n - 1;
	if (n == WEIR_STR_READ)
		n = WEIR_STR_MAX;
	s->len = n - 1;
	return at + n - 1;
}

static __always_inline void weir_no_str(struct weir_str *s)
{
	s->off = 0;
	s->len = 0;
	s->full = 0;
}

static __always_inline void weir_copy(void *to, const void *from, __u32 size)
{
	bpf_probe_read_kernel(to, size, from);
}

#define WEIR_SMALL 256 /* up to here copied without a helper */

#define weir_emit_class(ring, a, base, cpu, kind, len, span, size)             \
	do {                                                                   \
		void *rec_ = bpf_ringbuf_reserve(ring, size, 0);               \
		if (!rec_) {                                                   \
			weir_count_lost(a);                                    \
			return 1;                                              \
		}                                                              \
		if ((size) <= WEIR_SMALL)                                      \
			__builtin_memcpy(rec_, base, size);                    \
		else                                                           \
			weir_copy(rec_, base, size);                           \
		weir_restamp(rec_, base, a, cpu, kind, len);                   \
		weir_end_span(rec_, span);                                     \
		return weir_submit_len(rec_, size);                            \
	} while (0)

/* The instant at @span becomes the time since then; 0, unknown, stays. */
static __always_inline void weir_end_span(struct weir_hdr *h, __u32 span)
{
	__u64 *since = (void *)h + span;

	if (span && *since)
		*since = h->ts - *since;
}

/*
 * weir_emit_span - reserve, stamp and submit a copy of the scratch record
 * @base: scratch record; its header's pid, tid and flags are set
 * @len:  its length, struct and strings
 * @span: offset of a weir_ns_t that holds the instant the event began (0:
 *        unknown), and is to hold the time from then to the stamp; 0: none
 *
 * Return: 1, what a program on a hook returns.
 */
static __always_inline int weir_emit_span(struct weir_hdr *base, __u16 kind,
					  __u32 len, const __u32 span)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	void *ring = weir_ring(cpu);

	if (!a || !ring)
		return 1;
	if (len <= 128)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 128);
	if (len <= 256 || !weir_strings)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 256);
	if (len <= 512)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 512);
	if (len <= 1024)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 1024);
	if (len <= 2048)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 2048);
	if (len <= 4096)
		weir_emit_class(ring, a, base, cpu, kind, len, span, 4096);
	weir_emit_class(ring, a, base, cpu, kind, len, span, WEIR_RECORD_MAX);
}

/* weir_emit - the same for an event that spans no time. */
static __always_inline int weir_emit(struct weir_hdr *base, __u16 kind,
				     __u32 len)
{
	return weir_emit_span(base, kind, len, 0);
}

#endif
