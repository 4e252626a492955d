/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.bpf.h - how a record gets into the mini-buffer: reserve, stamp,
 * filter, submit. Part of weir.bpf.h.
 *
 * The time stamp is read after the record was reserved, with a full barrier
 * between (the atomic add in weir_stamp()): the aggregator's order rests on
 * that. What is reserved is submitted; what cannot be is counted as lost.
 */
#ifndef WEIR_RECORD_BPF_H
#define WEIR_RECORD_BPF_H

/* ---- records of a fixed size --------------------------------------------- */

/*
 * weir_is_stopped - may the current task no longer record? Where weir_pinned
 *
 * Links that are pinned end some time after they are removed: this is at once.
 * With WEIR_STOP_HOOKS the recorder itself still may, by its iterators.
 */
static __always_inline bool weir_is_stopped(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32, zero = 0;
	struct weir_own *who = bpf_map_lookup_elem(&own, &zero);

	return who && who->stopped &&
	       (who->stopped != WEIR_STOP_HOOKS || pid != who->recorder);
}

/*
 * weir_ring - the ring of the mini-buffer that @cpu writes to
 *
 * Return: NULL when recording has ended (weir_is_stopped()): what happens then
 * is no event, and is not counted.
 */
static __always_inline void *weir_ring(__u32 cpu)
{
	__u32 shard = cpu & (weir_shards - 1);

	if (weir_pinned && weir_is_stopped())
		return NULL;
	return bpf_map_lookup_elem(&rings, &shard);
}

/* Who an event is about, as bpf_get_current_pid_tgid() says it. */
static __always_inline __u64 weir_who(__u32 pid, __u32 tid)
{
	return (__u64)pid << 32 | tid;
}

/*
 * weir_stamp - fill the header of a record just reserved, and count it
 * @a:   slot of @cpu, which is this one
 * @len: bytes used of the record, header included
 * @who: as bpf_get_current_pid_tgid() says it
 *
 * The add is the full barrier between reservation and clock (x86: lock add).
 * The time is CLOCK_MONOTONIC (include/uapi/linux/bpf.h, bpf_ktime_get_ns()).
 */
static __always_inline void weir_stamp(struct weir_hdr *h,
				       struct weir_account *a, __u32 cpu,
				       __u16 kind, __u16 len, __u64 who)
{
	__sync_fetch_and_add(&a->submitted, 1);
	h->kind = kind;
	h->cpu = cpu;
	h->len = len;
	h->flags = 0;
	h->pid = who >> 32;
	h->tid = who;
	h->ts = bpf_ktime_get_ns();
}

/*
 * weir_reserve_kind - what weir_reserve() is made of
 * @size: of the struct; a constant, as bpf_ringbuf_reserve() wants it
 *
 * Return: the record, stamped, the rest of it not initialised; NULL: counted as
 * lost, or recording has ended.
 */
static __always_inline void *weir_reserve_kind(__u16 kind, const __u64 size,
					       __u64 who)
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
	weir_stamp(rec, a, cpu, kind, size, who);
	return rec;
}

/*
 * weir_reserve - reserve and stamp a record of a fixed-size kind.
 *
 * Return: struct ev_<name> *, to be filled and given to weir_submit(); NULL
 * when the mini-buffer is full (counted). Header pid and tid are the current
 * task's.
 */
#define weir_reserve(name, kind)                                               \
	weir_reserve_of(name, kind, bpf_get_current_pid_tgid())

/* The same of another task, @who being as bpf_get_current_pid_tgid() says. */
#define weir_reserve_of(name, kind, who)                                       \
	((struct ev_##name *)weir_reserve_kind(kind, sizeof(struct ev_##name), \
					       who))

/*
 * Does the reader have to be woken? Looked at once for each weir_look_bytes
 * that this CPU has made: when since the last look what waits in the ring has
 * come to another multiple of weir_wake_bytes.
 */
static __always_inline bool weir_wakes(__u64 size)
{
	__u32 cpu = bpf_get_smp_processor_id(), level;
	struct weir_account *a = weir_account_here(cpu);
	bool more;
	void *ring;

	if (!a)
		return false;
	a->made += size;
	if (a->made < weir_look_bytes)
		return false;
	a->made = 0;
	ring = weir_ring(cpu);
	if (!ring)
		return false;
	level = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) / weir_wake_bytes;
	more = level > a->level;
	a->level = level;
	return more;
}

/*
 * weir_submit_flags - what bpf_ringbuf_submit() is told of a record of @size
 *
 * No wakeup but those of weir_wakes(): the reader's timer is the fallback.
 */
static __always_inline __u64 weir_submit_flags(__u64 size)
{
	if (weir_wake_bytes && weir_wakes(size))
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* weir_submit() of a record of @size bytes. */
static __always_inline int weir_submit_len(void *rec, __u64 size)
{
	bpf_ringbuf_submit(rec, weir_submit_flags(size));
	return 1;
}

/*
 * weir_submit - hand over a record that weir_reserve() gave; it is gone then
 *
 * Return: 1, what a program on a hook returns.
 */
#define weir_submit(ev) weir_submit_len(ev, sizeof(*(ev)))

/* ---- records that a filter may refuse ------------------------------------ */

/*
 * weir_image - begin a record on the stack, to be shown to a filter
 * @size: of the struct
 *
 * All but the header is zero: what a filter is asked about must be whole.
 * h.len is not set; weir_stamp() does that when it is recorded.
 */
static __always_inline void *weir_image(struct weir_hdr *h, __u16 kind,
					const __u64 size, __u64 who)
{
	__builtin_memset(h, 0, size);
	h->ts = bpf_ktime_get_ns();
	h->kind = kind;
	h->cpu = bpf_get_smp_processor_id();
	h->pid = who >> 32;
	h->tid = who;
	return h;
}

/* weir_draft_begun(), see there. Return: NULL: it was counted. */
static __always_inline void *
weir_draft_kind(const volatile struct weir_filter *f, struct weir_hdr *image,
		__u16 kind, const __u64 size, __u64 who)
{
	if (!f->used)
		return weir_reserve_kind(kind, size, who);
	if (!f->never)
		return weir_image(image, kind, size, who);
	weir_count_filtered();
	return NULL;
}

/*
 * weir_draft(), see there. A kind that nobody wants is not asked about: it is
 * counted as filtered, not as shed.
 */
static __always_inline void *
weir_draft_turn(const volatile struct weir_filter *f, struct weir_hdr *image,
		__u16 kind, const __u64 size, __u64 who)
{
	struct weir_hdr *h;
	int turn = 0;

	if (!f->never)
		turn = weir_shed();
	if (turn < 0)
		return NULL;
	h = weir_draft_kind(f, image, kind, size, who);
	if (h)
		weir_weigh(h, turn);
	return h;
}

/*
 * weir_commit_image - record an image that the filter let through
 * @size: of the struct, a constant
 *
 * Flags and whom it is about are the image's, the time is that of the record.
 * Return: 1, also when it found no room: counted.
 */
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
	weir_stamp(rec, a, cpu, kind, size, weir_who(image->pid, image->tid));
	((struct weir_hdr *)rec)->flags = image->flags;
	return weir_submit_len(rec, size);
}

/*
 * weir_draft - begin an event of a kind that is WEIR_FILTERED
 * @image: struct ev_<name> on the stack; may stay unused
 * @who:   as bpf_get_current_pid_tgid() says it
 *
 * As weir_reserve(), but where a filter is set nothing is reserved before
 * weir_commit() has asked it. h.ts is then the time of the draft, and the
 * record's own is later; spans end at the draft, so that the filter sees what
 * is recorded. The budget is asked before either; what it sheds is counted.
 * Return: struct ev_<name> *, in the ring or @image, to be filled and given to
 * weir_commit(); NULL: shed, filtered or lost, and counted as that.
 */
#define weir_draft(name, kind_, image, who)                                    \
	((struct ev_##name *)weir_draft_turn(&weir_filter_##name, &(image)->h, \
					     kind_, sizeof(struct ev_##name),  \
					     who))

/* The same of an event that the budget was asked about when it began. */
#define weir_draft_begun(name, kind_, image, who)                              \
	((struct ev_##name *)weir_draft_kind(&weir_filter_##name, &(image)->h, \
					     kind_, sizeof(struct ev_##name),  \
					     who))

/*
 * weir_commit - record what weir_draft() gave, or count it as filtered
 *
 * Return: 1, what a program on a hook returns.
 */
#define weir_commit(name, kind_, ev)                                           \
	weir_commit_by(name, kind_, ev, weir_commit_image)

/* The same; @by records one that a filter was asked about. */
#define weir_commit_by(name, kind_, ev, by)                                    \
	({                                                                     \
		int ret_ = 1;                                                  \
                                                                               \
		if (!weir_filter_##name.used)                                  \
			ret_ = weir_submit(ev);                                \
		else if (weir_wants_##name(&(ev)->h))                          \
			ret_ = by(&(ev)->h, kind_, sizeof(*(ev)));             \
		else                                                           \
			weir_count_filtered();                                 \
		ret_;                                                          \
	})

#endif
