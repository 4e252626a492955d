/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_internal.h - what the files of the source module share:
 * source.c (which there are, what they are set to), source_filter.c (what is
 * asked for), source_btf.c (the kernel's types), source_peek.c (a function of
 * the kernel's that programs call), source_plain.c (which of two
 * programs that do the same), source_load.c (into the kernel),
 * source_attach.c (at work, and out again), source_pin.c (to outlive the
 * process), source_measure.c (account and cost). For nobody else.
 */
#ifndef WEIR_SOURCE_INTERNAL_H
#define WEIR_SOURCE_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "../bpf/events.h"
#include "kernel.h"
#include "pin.h"
#include "source.h"
#include "source_scope.h"

#define CPU_RINGS	"cpu_rings" /* bpf/cpu_ring.bpf.h */
#define SHARDS_MAX	256	    /* WEIR_MAX_SHARDS in bpf/weir.bpf.h */
#define PROGRAMS_MAX	32
#define EARLY_PLACES	4 /* WEIR_EARLY() in bpf/call.bpf.h */
#define SHARD_MIN_BYTES (1U << 20)
#define RING_BYTES_MAX	(1U << 31) /* of one; a power of two in a u32 */
#define CPU_RING_MIN	(128U << 10)
/* A value of an array: less than 4 MiB, KMALLOC_MAX_SIZE
 * (kernel/bpf/arraymap.c, 5.10). */
#define CPU_RING_MAX (2U << 20)

struct program {
	struct bpf_program *prog;
	struct bpf_link *link; /* NULL: not attached */
	const char *name;
	int fd;	     /* taken over; -1: prog is loaded */
	int info_fd; /* its /proc/self/fdinfo file; -1: none */
	int end_fd;  /* of an _end iterator, not yet read; or < 0 */
};

struct source {
	const struct embedded *bytes;
	char why[256];
	bool cut; /* a walk at the end did not get to its end: @why */
	bool wanted;
	bool asked_for; /* by its name, or because by_default */
	bool by_default;
	unsigned value; /* WEIR_VALUE */
	bool has_programs;
	bool on;
	struct bpf_object *obj; /* NULL once it failed to load */
	void *as_built; /* its constants as compiled; NULL: it has no twin */
	struct program programs[PROGRAMS_MAX];
	unsigned program_count;
	int ring_fds[SHARDS_MAX];
	unsigned ring_count;
	uint64_t ring_bytes; /* of each */
	int cpu_rings_fd;    /* bpf/cpu_ring.bpf.h; -1: none */
	unsigned cpu_ring_count;
	uint64_t cpu_ring_bytes;      /* of each */
	struct weir_account *account; /* mapped, one for each CPU; or NULL */
	size_t account_bytes;
	uint64_t reported_missed;
	struct weir_set_key *keys; /* of the sets its filters ask */
	size_t key_count;
	uint32_t set_count;
	const struct weir_filter *asked[EARLY_PLACES]; /* last there */
};

struct sources {
	struct sources_options o;
	struct kernel kernel;
	struct btf *kernel_btf;	    /* or NULL */
	struct kernel_types *types; /* source_btf.c; or NULL, as above */
	struct schema *schema;
	struct source list[SOURCES_MAX];
	unsigned count;
	struct account_row *rows;
	bool unwanted[SCHEMA_KINDS_MAX]; /* no event of it is selected */
	bool taken;			 /* sources_take(), not _load() */
	int own_fd;			 /* options.pin: the map own, or -1 */
	struct weir_own *own;		 /* it, mapped; or NULL */
	int stats_fd; /* holds the kernel's run-time statistics on */
};

/*
 * Unless said otherwise: Thread: one at a time, but while loading one for each
 * source, each with a source of its own.
 */

/** source_of_task - Return: the source that keeps track of tasks, or NULL. */
struct source *source_of_task(struct sources *s);

/** sources_follow - Return: is the recording about some processes only? */
bool sources_follow(const struct sources *s);

/** source_share_followed - before load: one map, kept by task, read by all;
 * task must be loaded before. Return: 0; -errno of libbpf. */
int source_share_followed(struct sources *s, struct source *src);

/** sources_follow_first - after load: mark those asked for, in maps of source
 * task. Return: 0; -errno of bpf(2). */
int sources_follow_first(struct sources *s);

/** source_is - Return: is this the source called @name? */
bool source_is(const struct source *src, const char *name);

/** source_fail - switch a source off and say why; the first reason stays. */
void source_fail(struct source *src, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * source_object - open bytes of a source's
 * Return: to be closed by bpf_object__close(); NULL: errno.
 */
struct bpf_object *source_object(const struct sources *s,
				 const struct source *src, const void *data,
				 uint64_t size);

/** source_plain_open - before a constant is set: remember them as compiled.
 * No-op where there is no twin. Return: 0; -ENOMEM. */
int source_plain_open(struct source *src);

/**
 * source_plain_take - when all constants are set: load the twin instead, if
 * there is one and it does the same. Return: 0, also if not; -errno.
 */
int source_plain_take(const struct sources *s, struct source *src);

/** source_apply - put the user's settings into a source's constants; also what
 * system calls are recorded by default. Return: 0; -EINVAL, -ENOENT with @why,
 * one line. */
int source_apply(struct sources *s, struct source *src, char *why,
		 size_t why_len);

/**
 * source_btf_open - parse the kernel's BTF, before any object is opened
 *
 * libbpf has one table of sections in a process: one struct sources at a time.
 * Return: 0, also where the kernel has none; -ENOMEM; -errno of libbpf.
 */
int source_btf_open(struct sources *s);

/**
 * source_btf_word_type - Return: id of a struct of the kernel's that begins
 * with a number of 64 bits; 0 where it cannot be cast to (bpf/peek.bpf.h).
 */
uint32_t source_btf_word_type(const struct sources *s);

/**
 * source_peek_works - try bpf_rdonly_cast()
 * @function: its id in the kernel's BTF; 0: there is none
 * @type:     that of the struct which is cast to
 *
 * Return: does the kernel, which needs its JIT for it, load what calls it and
 * reads a number of 64 bits at the struct's beginning?
 */
bool source_peek_works(uint32_t function, uint32_t type);

/**
 * source_peek_fill - just before load: make the calls of it that @prog has
 * Return: 0; -ENOMEM.
 */
int source_peek_fill(struct bpf_program *prog, uint32_t function);

/** source_btf_path - Return: what objects are to be relocated against; or NULL
 */
const char *source_btf_path(const struct sources *s);

/** source_btf_fill - before load: make it, for these. Return: 0, also where the
 * kernel's own is used; as source_btf_copy(); -errno of write(2). */
int source_btf_fill(struct sources *s, struct source *const *list, unsigned n);

/**
 * source_btf_copy - as few of @from's types as @by can be relocated against
 *
 * Those that have a name (but for "___" and what follows it) which a type of
 * one of @by has, and what they are made of; pointers to nothing.
 * Return: 0; -ENOMEM; -errno of libbpf.
 */
int source_btf_copy(struct btf **ret, const struct btf *from,
		    const struct btf *const *by, unsigned n);

/** source_btf_drop - after load: nothing of the kernel's types is needed, and
 * most of what they took is freed. */
void source_btf_drop(struct sources *s);

/** source_btf_close - after all objects were closed. */
void source_btf_close(struct sources *s);

/** source_tracepoint_args - Return: how many arguments a raw program of it gets
 * in this kernel; -ENOENT there is none of that name, or no BTF. Before drop.
 */
int source_tracepoint_args(const struct sources *s, const char *name);

/**
 * source_open_info - open what tells of its programs' misses and cost
 *
 * bpf(2) would tell as well, but is not there for who gave up his privileges.
 */
void source_open_info(struct source *src);

/** source_makes_wanted - Return: does the program make anything that is
 * wanted? Those that do not say what they make do. */
bool source_makes_wanted(const struct sources *s, const struct source *src,
			 const struct bpf_program *p);

/** source_size_sets - before load: room in @map for the members of all its
 * sets. Return: 0; -E2BIG; -errno of libbpf. */
int source_size_sets(const struct source *src, struct bpf_map *map);

/** source_fill_sets - after load: put them in. Return: 0; -errno of bpf(2). */
int source_fill_sets(const struct source *src);

/** source_map_account - map a source's account; @fd: of the map, for the call.
 * Return: 0; -errno of mmap(2). */
int source_map_account(struct sources *s, struct source *src, int fd);

/** source_program_fd - Return: the program's descriptor, borrowed. */
int source_program_fd(const struct program *p);

/** source_choose_programs - those that a source is made of, for load and take
 */
void source_choose_programs(struct sources *s, struct source *src);

/** source_makes_none - Return: does the program make no event of its own? Those
 * called <what>_followed keep the map of that name, where some processes are,
 * or say who others are that these have to do with. */
bool source_makes_none(const char *name);

/** source_is_iter - Return: is it run by reading, not attached? */
bool source_is_iter(const struct program *p);

/** source_remedy - Return: what helps against an error, a blank before it,
 * static; or "". */
const char *source_remedy(const struct sources *s, int err);

/** source_rings - Return: how many it has, those of CPUs included. */
unsigned source_rings(const struct source *src);

/** source_ring_at - Return: the @i-th: first those of the mini-buffer. */
struct kring_place source_ring_at(const struct source *src, unsigned i);

/** source_close_rings, _programs - close their descriptors. */
void source_close_rings(struct source *src);
void source_close_programs(struct source *src);

/** source_wanted - those to load, task first; @ret: [SOURCES_MAX]. Return: how
 * many. */
unsigned source_wanted(struct sources *s, struct source **ret);

/** source_count_on - Return: how many have programs, and run. */
unsigned source_count_on(const struct sources *s);

/** source_make_own - the map own, before load, with this process in it. Return:
 * 0; -errno of bpf(2), mmap(2). */
int source_make_own(struct sources *s);

/** source_grace_period - wait until no program runs that ran before: some ms,
 * by membarrier(2); 20 ms where that is not to be had. */
void source_grace_period(void);

/** source_stop - no program records any more but as @how says, from now on
 * (release, atomic). Only where there is the map own, else a no-op. */
void source_stop(struct sources *s, enum weir_stop how);

#endif
