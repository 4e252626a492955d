/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shed.bpf.h - the budget, kernel side: record one event in 2^n, asked before
 * anything of it is put together. Part of weir.bpf.h.
 *
 * Of each 2^n events of a source on a CPU, one is recorded, and a random number
 * says which. So each event has the same chance, whatever the rhythm that a
 * program makes its events in (a plain counter would see the same one of two
 * calls that alternate), from the first one after a change of the rate on; what
 * is recorded times its weight is wrong by one turn at most, where a draw for
 * each event would be by the root of their number; and an event that is shed
 * costs one comparison, for the number is drawn once in a turn.
 */
#ifndef WEIR_SHED_BPF_H
#define WEIR_SHED_BPF_H

/* One in 2^20 at the least, whatever stands in the account; what the budget
 * asks for is less (BUDGET_LOG2_MAX in user/budget.h). A header has room for
 * 2^31 (WEIR_WEIGHT()). */
#define WEIR_LOG2_MAX 20

/*
 * weir_draw - begin a turn of 2^@log2 events on this CPU
 * @before: events that are left of the turn before, to be shed first
 *
 * The event is drawn uniformly (bpf_get_prandom_u32()): @skip others come
 * before it, @rest after it.
 */
static __always_inline void weir_draw(struct weir_account *a, __u32 log2,
				      __u32 before)
{
	__u32 last = (1U << (log2 & 31)) - 1;
	__u32 at = bpf_get_prandom_u32() & last;

	a->skip = before + at;
	a->rest = last - at;
}

/*
 * weir_turn - is it the turn of an event that happens now?
 *
 * Programs of a source that interrupt each other here lose no event, at worst
 * a turn is one longer or shorter.
 * Return: log2 of how many events it stands for; < 0: it is to be shed.
 */
static __always_inline int weir_turn(void)
{
	struct weir_account *a;
	__u32 log2;

	if (!weir_budget)
		return 0;
	a = weir_account_here(bpf_get_smp_processor_id());
	if (!a)
		return 0;
	a->asked++;
	log2 = *(volatile __u32 *)&a->shed_log2;
	if (log2 > WEIR_LOG2_MAX)
		log2 = WEIR_LOG2_MAX;
	if (log2 != a->drawn_log2) {
		a->drawn_log2 = log2;
		weir_draw(a, log2, 0);
	}
	if (!log2)
		return 0;
	if (a->skip) {
		a->skip--;
		return -1;
	}
	weir_draw(a, log2, a->rest);
	return log2;
}

/*
 * weir_shed - the same; an event to be shed is counted as such
 *
 * For programs that may interrupt each other: a locked add.
 */
static __always_inline int weir_shed(void)
{
	struct weir_account *a;
	int turn = weir_turn();

	if (turn >= 0)
		return turn;
	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		__sync_fetch_and_add(&a->shed, 1);
	return turn;
}

/* Is anything of this source shed on this CPU, now? The rate may change between
 * the beginning and the end of what is recorded at its end. */
static __always_inline bool weir_sheds(void)
{
	struct weir_account *a;

	if (!weir_budget)
		return false;
	a = weir_account_here(bpf_get_smp_processor_id());
	return a && *(volatile __u32 *)&a->shed_log2;
}

/* Counts as shed, as weir_count_refused() counts as filtered: without a lock,
 * by one program alone. */
static __always_inline void weir_count_passed(void)
{
	struct weir_account *a;

	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		a->passed++;
}

/*
 * weir_weigh - an event stands for 2^@log2 (WEIR_WEIGHT())
 * @h: whose upper flags are still 0; once for each event
 */
static __always_inline void weir_weigh(struct weir_hdr *h, __u32 log2)
{
	if (weir_budget)
		h->flags |= log2 << WEIR_WEIGHT_SHIFT;
}

#endif
