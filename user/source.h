/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - the sources: BPF objects embedded in the binary, loaded,
 * attached, measured and detached each alone.
 *
 * One that cannot run leaves the others running and says why. Only this file
 * and aggregator.c's ring reader (kring.c) know the kernel's side.
 * sources_load() and sources_attach() need privileges, nothing that comes after
 * them does: what detaching and counting take is open by then.
 * Thread: one at a time, but sources_account() and sources_losses(), which the
 * repo's thread may call while recording.
 */
#ifndef WEIR_SOURCE_H
#define WEIR_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/clause.h"
#include "account.h"
#include "kring.h"
#include "pin.h"
#include "resume.h"
#include "schema.h"
#include "select.h"

/* Made by user/embed.sh from build/bpf/<name>.bpf.o; ends with a NULL name. */
struct embedded {
	const char *name;
	const void *data;
	uint64_t size;
	const void *plain; /* user/source_plain.c; or NULL */
	uint64_t plain_size;
};
extern const struct embedded weir_embedded[];

#define SOURCES_MAX	 32
#define SOURCE_NEEDS_MAX 32
#define SOURCE_REPO	 "repo" /* weir itself: no programs, a user-space ring */
#define SOURCE_TASK	 "task" /* always loaded: all others need its state */

/*
 * A tunable of a source, from `--set source.name=value`: its constant
 * <source>_<name>. A number, with or without a unit of time or size; of
 * syscall.calls a list of names.
 */
struct source_setting {
	const char *text; /* "syscall.slower=10ms", borrowed */
};

struct source_scope;

/* All that is pointed to is borrowed until sources_free(). */
struct sources_options {
	/* Which to load; none: all but those marked off by default. */
	const char *const *names;
	size_t name_count;
	const struct source_setting *settings;
	size_t setting_count;
	uint32_t follow; /* record this process and what it starts; 0 */
	const struct source_scope *scope; /* and these: source_scope.h; NULL */
	/* of each mini-buffer, all its shards together, at most 2 GiB; 0: as
	 * the source says. Rounded up to a power of two. */
	uint64_t ring_bytes;
	uint32_t errand;       /* a process of weir's, not recorded either; 0 */
	bool budget;	       /* sources_shed() will be called */
	const struct pin *pin; /* to outlive this process there; or NULL */
	/* What sources_measure() does instead of asking the kernel; or NULL. */
	int (*measure)(void *arg, bool on);
	void *measure_arg;
};

/* Strings live as long as the sources; @why is of now. */
struct source_info {
	const char *name;
	const char *help;
	bool wanted; /* to be loaded: asked for, and something of it wanted */
	bool on;     /* loaded, and attached once that was tried */
	bool by_default;
	unsigned value;	   /* what its events are worth: 1 least; 0: not shed */
	const char *why;   /* off, or in part off, because; "" */
	bool cut;	   /* what was unfinished at the end is told in part */
	unsigned programs; /* attached, iterators not among them */
	unsigned rings;	   /* of its mini-buffer: shards */
	uint64_t ring_bytes; /* all its rings, those of CPUs too */
	/* How it reads the paths of files: "loads" (bpf/peek.bpf.h), "helper";
	 * NULL: it does not. */
	const char *paths;
};

/* A ring in the kernel, as sources_ring() hands it to the aggregator: a shard
 * of a mini-buffer, or a CPU's own. */
struct source_ring {
	struct kring_place at;
	unsigned source; /* index, as in sources_info() */
	bool keep;	 /* never refused for lack of room: task */
};

struct sources;

/**
 * sources_open - read the embedded objects and make the schema
 *
 * Loads nothing into the kernel: needs no privileges.
 * @why: one line on failure: which source, name or setting, and the remedy
 * One at a time in a process (source_btf_open()). libbpf's messages go to the
 * debug log from here on.
 * Return: 0; -EINVAL unknown source or setting, a malformed value, or a struct
 * that breaks the rules of bpf/events.h; -EEXIST, -E2BIG too many or equal
 * sources or kinds; -ENOMEM; -errno of libbpf.
 */
int sources_open(struct sources **ret, const struct sources_options *opts,
		 char *why, size_t why_len);

/** sources_schema - Return: of all sources there are, loaded or not; lives as
 * long as @s. */
const struct schema *sources_schema(const struct sources *s);

/** sources_setting - Return: the value of `source.name` as set, else its
 * default; 0: there is none. */
uint64_t sources_setting(const struct sources *s, const char *source,
			 const char *name);

/* What is looked for beside what is selected: by a trigger. */
struct source_need {
	const bool *kinds; /* [SCHEMA_KINDS_MAX]: in events of these */
	const struct filter *filter; /* what is true of them */
};

/**
 * sources_narrow - before load: record as little as @sel and @needs allow
 *
 * What the kernel can decide of its filter, or of the needs of one, goes into
 * the sources' constants, and what only makes kinds that nobody wants is not
 * attached, nor loaded where that is all of a source. Events that the task
 * table needs are made in any case. `--set repo.user_filter=1` leaves all of
 * it to the repo. The last call counts. All is used for the call.
 * Return: 0; -ENOMEM; -E2BIG more than SOURCE_NEEDS_MAX.
 */
int sources_narrow(struct sources *s, const struct select *sel,
		   const struct source_need *needs, size_t need_count);

/* What can be asked of a kind in the kernel, see struct weir_filter. */
struct source_filter {
	bool tells_comm;
	uint16_t known[WEIR_KNOWN]; /* before the event happens; none: 0 */
};

/** sources_filters - Return: can the kernel refuse events of this kind? */
bool sources_filters(const struct sources *s, const struct schema_kind *k,
		     struct source_filter *ret);

/** sources_wants - Return: may there be an event of this kind that is wanted,
 * after sources_narrow()? */
bool sources_wants(const struct sources *s, const struct schema_kind *k);

/**
 * sources_load - load the wanted objects, each in a thread of its own
 *
 * Makes rings, account and sets, opens what counting takes later; frees what is
 * known of the kernel's types. Needs CAP_BPF and CAP_PERFMON.
 * Return: 0; -EOPNOTSUPP none could be (sources_info() has each one's reason);
 * -ENOMEM, -errno of making what all share.
 */
int sources_load(struct sources *s);

/**
 * sources_attach - attach the programs, task first, and run the iterators: what
 * is alive already enters the stream
 *
 * The aggregator must be draining: each iterator waits for room, 5 s at most.
 * One that failed is told by sources_info(). A source of which one program
 * cannot attach is detached as a whole.
 * Return: 0; -EOPNOTSUPP none is on.
 */
int sources_attach(struct sources *s);

/* ---- options.pin: source_pin.c ---------------------------------------------
 *
 * In its directory: each program and its link, the rings and the account of
 * each source, and struct weir_own. They stay when the process ends.
 */

/**
 * sources_pin - after attach: let all of it outlive this process
 * @meta, @len: for sources_pinned(), what it is of; at most 1 MiB
 * Return: 0; -errno of bpf(2), nothing is complete then.
 */
int sources_pin(struct sources *s, const void *meta, size_t len);

/**
 * sources_pinned - what a pin was made of
 * @ret: to be freed by free()
 * Return: 0; -ENOENT there is nothing complete; -EBADMSG what bears its name is
 * something else; -ENOMEM; -errno of bpf(2).
 */
int sources_pinned(const struct pin *p, void **ret, size_t *ret_len);

/** sources_pinned_ended - was it being ended when its recorder died? */
bool sources_pinned_ended(const struct pin *p);

/**
 * sources_unpin - for good: end what is pinned, and see what is left
 * @at: where its recorder came, or NULL: that is not known
 * @ret_unread: records in the rings that are not below that
 *
 * What is in the directory is left there, but no event is made any more. Of a
 * pin that is not complete there is nothing to tell: 0.
 * Return: 0; -EBADMSG @at is of other rings; -errno.
 */
int sources_unpin(const struct pin *p, const struct resume *at,
		  uint64_t *ret_unread);

/**
 * sources_remove_pinned - remove all files of a pin that nobody has
 *
 * When it returns no program of it is attached: its links are held until the
 * kernel has let go of their names, which it does in a callback of RCU, and end
 * here. (Before Linux 6.5 they would end in that callback, where on a -rt
 * kernel their locks sleep: bpf_link_put() in kernel/bpf/syscall.c.)
 * Return: how many files; -errno of removing them.
 */
int sources_remove_pinned(const struct pin *p);

/**
 * sources_take - instead of load: take over what is pinned
 *
 * The options must be those it was made of. sources_attach() then only runs
 * the iterators. One that could not run then is off now. Return: as
 * sources_load(); -errno of opening what says who records.
 */
int sources_take(struct sources *s);

/**
 * sources_resume - before anything is counted: what the rows were
 * @rows: as of the mark; the kernel's own counters have gone on
 */
void sources_resume(struct sources *s, const struct account_row *rows,
		    size_t count);

/** sources_resume_losses - of a row: @count losses at @stage have been told,
 * those before @until; all others are to be. */
void sources_resume_losses(struct sources *s, size_t row, unsigned stage,
			   uint64_t count, uint64_t until);

/** sources_halt - what is pinned makes no event any more, but by the _end
 * iterators of this process. Other sources: no effect. */
void sources_halt(struct sources *s);

/** sources_detach - no event is made after this returns; before it does, the
 * _end iterators run: those of maps while hooks keep them, others after. */
void sources_detach(struct sources *s);

/** sources_free - detach, close everything; no ring may be in use. What is
 * pinned stays. NULL-safe. */
void sources_free(struct sources *s);

/** sources_count - Return: how many there are, loaded or not: the same for each
 * run of the same weir. */
unsigned sources_count(const struct sources *s);

/** sources_index - Return: which of them has that name; 0, as of the first:
 * none has. */
unsigned sources_index(const struct sources *s, const char *name);

/** sources_info - tell of the @i-th, below sources_count(). */
void sources_info(const struct sources *s, unsigned i, struct source_info *ret);

/** sources_ring_count, sources_ring - the rings in the kernel, after load:
 * those of each source in turn, which is the order in which they are resumed.
 */
unsigned sources_ring_count(const struct sources *s);
struct source_ring sources_ring(const struct sources *s, unsigned i);

/**
 * sources_rows - the account: one row for each source and CPU, then one for
 * each source with ACCOUNT_ANY_CPU
 *
 * Live memory, see account.h for who writes what. Row of (source, cpu):
 * source * (cpus + 1) + cpu.
 */
struct account_row *sources_rows(struct sources *s, size_t *ret_count);

/** sources_cpus - Return: CPUs that are possible: numbers are below that. */
unsigned sources_cpus(const struct sources *s);

/** sources_account - bring the kernel's part of the rows up to date: loads from
 * what is mapped, and a read of each program's fdinfo file. */
void sources_account(struct sources *s);

/**
 * sources_losses - report what was lost in the kernel since the last call
 *
 * @fn is called for each source and CPU with new losses at
 * WEIR_STAGE_KERNEL_RING; first and last are bounds (monotonic ns): no loss
 * lies outside. And for each source with new ones at WEIR_STAGE_HOOK, of
 * ACCOUNT_ANY_CPU, whose times nobody knows: 0 and 0.
 */
void sources_losses(struct sources *s,
		    void (*fn)(void *arg, const char *source, uint32_t cpu,
			       unsigned stage, uint64_t count, uint64_t first,
			       uint64_t last),
		    void *arg);

/**
 * sources_shed - record one in 2^@log2 of the events that the @i-th makes
 *
 * From now on, on all CPUs; each event tells what it stands for (WEIR_WEIGHT).
 * Only where options.budget is set, and info.value; else nothing changes.
 */
void sources_shed(struct sources *s, unsigned i, unsigned log2);

/** sources_shed_log2 - Return: what was set, maybe by who was here before. */
unsigned sources_shed_log2(const struct sources *s, unsigned i);

/** sources_asked - Return: how many events of the @i-th came as far as being
 * asked whether they are to be shed, since load; counted without a lock, so
 * nearly exact, and cheap. */
uint64_t sources_asked(const struct sources *s, unsigned i);

/* Cost of a program, from the kernel's own statistics. */
struct program_cost {
	const char *source, *program;
	uint64_t runs, ns; /* since load; ns only while statistics are on */
	uint64_t missed;   /* recursion_misses */
};

/**
 * sources_measure - switch the kernel's run-time statistics on or off
 *
 * They cost two clock reads for each run of any program of the host, so they
 * are on for short samples only. Return: 0; -errno (5.8 and later).
 */
int sources_measure(struct sources *s, bool on);

/** sources_costs - fill up to @max; what the kernel does not tell is 0. Return:
 * how many programs there are. */
size_t sources_costs(struct sources *s, struct program_cost *ret, size_t max);

#endif
