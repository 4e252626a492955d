/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.h - what events there are and what their fields mean, as one flat
 * table.
 *
 * The table is made once, from the BTF of the BPF objects (schema_btf.c) or
 * from an archive's SCHEMA frame (schema_wire.c), and is read-only from then
 * on: any thread may use it, pointers into it live as long as it does.
 * Nothing but this table says what a record holds; no code names a kind,
 * except where it binds a field by name (event.h).
 */
#ifndef WEIR_SCHEMA_H
#define WEIR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * How the bytes of a field are laid out. Numbers are written into archives:
 * append only.
 */
enum field_type {
	FIELD_UINT, /* little-endian, 1, 2, 4 or 8 bytes, times @count */
	FIELD_INT,
	FIELD_CHARS, /* char[size], NUL-padded */
	FIELD_BYTES, /* __u8[size] */
	FIELD_STR,   /* struct weir_str: bytes in the record's tail, with no
			NUL behind them */
	FIELD_TYPES,
};

/*
 * What a field means: the typedefs of bpf/events.h by name. MEANING_NONE is a
 * plain number or string. Numbers are written into archives: append only.
 */
enum meaning {
	MEANING_NONE,
	MEANING_TIME,
	MEANING_NS,
	MEANING_PID,
	MEANING_TID,
	MEANING_UID,
	MEANING_BYTES,
	MEANING_COUNT,
	MEANING_ERRNO,
	MEANING_RET,
	MEANING_CPU,
	MEANING_CGROUP,
	MEANING_IP,
	MEANING_PORT,
	MEANING_DEV,
	MEANING_SECTOR,
	MEANING_SIGNAL,
	MEANING_STATE,
	MEANING_HEX,
	MEANING_BOOL,
	MEANING_ARGS,
	MEANING_ARGV,
	MEANING_VALUE,
	MEANINGS,
};

struct schema_enumerator {
	int64_t value;
	const char *name; /* common prefix taken off, lower case */
};

struct schema_enum {
	const char *name;			/* as in C: weir_stage */
	uint32_t count;				/* 65536 at most */
	const struct schema_enumerator *values; /* ascending, each once */
};

/* A field of a kind, as its struct in bpf/events.h declares it. */
struct schema_field {
	const char *name;
	const char *help; /* one line, or "" */
	uint16_t offset;  /* from the start of the record */
	uint16_t size;	  /* bytes in all; of a FIELD_STR sizeof(weir_str) */
	uint16_t count;	  /* elements: 1, or the array's length */
	uint8_t type;	  /* enum field_type */
	uint8_t meaning;  /* enum meaning */
	const struct schema_enum *names; /* or NULL */
};

struct template_part; /* template.h */

/* A sort of events: what a record with its number holds. */
struct schema_kind {
	const char *name;   /* task_exec */
	const char *source; /* task */
	const char *help;
	const char *text;     /* the human line's template, render.h */
	uint16_t number;      /* enum weir_kind */
	uint16_t size;	      /* of the struct: header and fixed part */
	uint16_t field_count; /* header not among them */
	const struct schema_field *fields; /* ascending by offset */
	/* made of the above by schema_add_kind() */
	uint16_t str_count; /* how many fields are FIELD_STR */
	uint16_t part_count;
	const struct template_part *parts; /* @text, compiled */
	/*
	 * Of a name that means different things in what was united: the first
	 * one and the next one, or NULL. Alone, a kind is its own first.
	 */
	const struct schema_kind *first, *variant;
};

struct schema_source {
	const char *name;
	const char *help;
};

#define SCHEMA_KINDS_MAX   256 /* EV_MAX */
#define SCHEMA_SOURCES_MAX 64
#define SCHEMA_ENUMS_MAX   256
#define SCHEMA_FIELDS_MAX  128	/* of one kind */
#define SCHEMA_NAME_MAX	   63	/* bytes of a name */
#define SCHEMA_HELP_MAX	   1023 /* bytes of a help or a template */

struct schema; /* opaque: owns an arena all the pointers above point into */

/**
 * schema_kind - Return: the kind by its number, or NULL when unknown: any
 * @number may be asked for. Lives as long as @s, like all that is returned
 * here.
 */
const struct schema_kind *schema_kind(const struct schema *s, unsigned number);

/**
 * schema_kind_by_name - Return: the kind called @name, or NULL. Of several of
 * that name the first; schema_kind.variant leads to the others.
 */
const struct schema_kind *schema_kind_by_name(const struct schema *s,
					      const char *name);

/**
 * schema_field - Return: the field called @name, or NULL. Case counts. Goes
 * through them one by one: not for every event, see bound_init().
 */
const struct schema_field *schema_field(const struct schema_kind *k,
					const char *name);

/**
 * schema_task_field - the field that <field>_comm is about
 *
 * Beside each field that names a task, by tid or pid, there is its name.
 * Return: the field; NULL: @name is a field itself, or about none.
 */
const struct schema_field *schema_task_field(const struct schema_kind *k,
					     const char *name);

/** schema_names_task - is it one number, and means MEANING_TID or _PID? */
bool schema_names_task(const struct schema_field *f);

/** What follows a field's name to ask for that of its task. */
#define SCHEMA_COMM_SUFFIX "_comm"

/**
 * schema_source_count, schema_source - the sources, in order of loading
 *
 * Return: of schema_source() NULL when there is no @i-th; of
 * schema_source_by_name() NULL when none is called so.
 */
unsigned schema_source_count(const struct schema *s);
const struct schema_source *schema_source(const struct schema *s, unsigned i);
const struct schema_source *schema_source_by_name(const struct schema *s,
						  const char *name);

/** meaning_name - Return: "ns", "bytes", …; "" for MEANING_NONE. */
const char *meaning_name(enum meaning m);

/** meaning_by_name - Return: the meaning so called, or MEANING_NONE. */
enum meaning meaning_by_name(const char *name, size_t len);

/**
 * enum_name - Return: the enumerator's name, or NULL when @value has none.
 * Found at once where the values up to it have no gap, else by halves.
 */
const char *enum_name(const struct schema_enum *e, int64_t value);

/**
 * enum_value - find a name of @len bytes, case ignored
 * Return: 0; -ENOENT, and @ret_value is untouched.
 */
int enum_value(const struct schema_enum *e, const char *name, size_t len,
	       int64_t *ret_value);

/**
 * schema_field_of_value - what somebody means who takes a value for a name
 * @value: name of an enumerator: openat
 * Return: the first field that can be it, and its kind; or NULL.
 */
const struct schema_field *
schema_field_of_value(const struct schema *s, const char *value,
		      const struct schema_kind **ret_kind);

/** schema_free - NULL-safe. */
void schema_free(struct schema *s);

/* ---- building: schema_btf.c and schema_wire.c only ----------------------- */

/**
 * schema_new - an empty table
 * Return: 0; -ENOMEM.
 */
int schema_new(struct schema **ret);

/**
 * schema_add_source, schema_add_enum, schema_add_kind - copy one in
 *
 * Strings and arrays are copied into the table's arena; a field's @names must
 * be what schema_add_enum() of the same table returned, and a kind's source
 * be there already. Equal enums are kept once. schema_add_kind checks what a
 * reader relies on: number in 1..255 and new, name and field names new and
 * identifiers, not one of the common names (ts source kind cpu pid tid comm,
 * and marks, which JSON uses), fields inside the struct, ascending, not
 * overlapping, sizes legal, the type fit for the meaning; and everywhere that
 * a text has no byte that must not reach a terminal.
 * Return: 0; -EINVAL it breaks a rule, or there is no room for one more
 * (SCHEMA_SOURCES_MAX, SCHEMA_ENUMS_MAX); -EEXIST a source or a kind of that
 * name or number is there; -ENOMEM. schema_add_kind() says in @why (may be
 * NULL) what was wrong, a string of the arena.
 */
int schema_add_source(struct schema *s, const struct schema_source *src);
int schema_add_enum(struct schema *s, const struct schema_enum *e,
		    const struct schema_enum **ret);
int schema_add_kind(struct schema *s, const struct schema_kind *k,
		    const char **why);

/**
 * schema_unite - add what another table has: for who reads records of both
 * @number: [SCHEMA_KINDS_MAX], filled: what a kind of @from is called in @s
 *
 * A kind that @s has, but for its help, is that one. Others keep their number
 * where it is free; one whose name is taken becomes a variant.
 * @number is 0 where @from has no kind. @from may be freed afterwards.
 * Return: 0; -E2BIG there is no room for all; -ENOMEM. After a failure @s may
 * have a part of it.
 */
int schema_unite(struct schema *s, const struct schema *from,
		 uint16_t number[SCHEMA_KINDS_MAX]);

/**
 * schema_add_variant - copy in a kind that was checked, its name taken or not
 * Return: 0; -EEXIST its number is taken; -ENOMEM.
 */
int schema_add_variant(struct schema *s, const struct schema_kind *k);

/** schema_enum_count, schema_enum - the enums, in order of addition. */
unsigned schema_enum_count(const struct schema *s);
const struct schema_enum *schema_enum(const struct schema *s, unsigned i);

/**
 * schema_why - format a reason
 * Return: it, in the arena, at most 159 bytes of it; "out of memory" where
 * there is none; never NULL.
 */
const char *schema_why(struct schema *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- from BTF: schema_btf.c ---------------------------------------------- */

struct btf;

/**
 * schema_add_btf - add the source and the kinds that a BPF object declares
 * @s:      table being built
 * @source: its name, from the file name
 * @btf:    the object's BTF, borrowed
 * @kernel: BTF of the running kernel for WEIR_KERNEL_ENUM(), or NULL
 * @why:    set to a static or arena string saying what was wrong
 *
 * Finds WEIR_SOURCE() and WEIR_EVENT() (bpf/weir.bpf.h): variables in the
 * sections .weir.source and .weir.events.
 * Return: 0; -EINVAL a struct breaks the rules of bpf/events.h; -EEXIST the
 * source or one of its kinds is there already; -ENOMEM.
 */
int schema_add_btf(struct schema *s, const char *source, const struct btf *btf,
		   const struct btf *kernel, const char **why);

/**
 * btf_tracepoint_args - how many arguments a tracepoint hands a raw program
 * @id: of the kernel's typedef btf_trace_<name>
 *
 * Return: the number, the leading void * not counted; -ENOENT it is none.
 */
int btf_tracepoint_args(const struct btf *kernel, uint32_t id);

/**
 * btf_program_makes - which kinds a program says it makes: WEIR_HOOK()
 *
 * Return: their names, a blank between, borrowed from @btf; "": it does not say
 */
const char *btf_program_makes(const struct btf *btf, const char *program);

/* ---- to and from bytes: schema_wire.c ------------------------------------ */

/**
 * schema_encode - append the table in its archive encoding to @b
 *
 * The encoding is described in schema_wire.c. Errors: see buf_err().
 */
void schema_encode(const struct schema *s, struct buf *b);

/**
 * schema_decode - read it back; every byte of @data is checked
 * @data: not needed any more afterwards
 *
 * A meaning that is not known here, of a newer weir, becomes MEANING_NONE: its
 * fields are plain numbers or strings.
 * Return: 0; -EBADMSG damaged; -EPROTONOSUPPORT a newer encoding; -ENOMEM.
 */
int schema_decode(struct schema **ret, const void *data, size_t len);

#endif
