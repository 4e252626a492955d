/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_plan.h - which columns the records of a kind are taken apart into.
 *
 * A plan follows from the kind's fields alone, so that writer and reader make
 * the same one; its @check, kept in every block, says so. Every byte of the
 * struct is in one column. What follows the struct are the strings of its
 * FIELD_STR fields, in order; a record that is not like that is kept whole, as
 * one of the kind PLAN_WHOLE.
 */
#ifndef WEIR_COLUMNS_PLAN_H
#define WEIR_COLUMNS_PLAN_H

#include "arena.h"
#include "schema.h"

/* What a column holds. */
enum plan_type {
	PLAN_TIME,  /* ts less that of the row before on this CPU */
	PLAN_FLAGS, /* weir_hdr.flags */
	PLAN_NUMBER,
	PLAN_BYTES, /* index of the bytes in the dictionary */
	PLAN_STR,   /* the same of a string */
	PLAN_OFF,   /* weir_str.off less where the string must begin */
	PLAN_FULL,  /* weir_str.full less .len */
	PLAN_KIND,  /* of PLAN_WHOLE: weir_hdr.kind */
	PLAN_REST,  /* of PLAN_WHOLE: index of all after the header */
};

#define PLAN_NO_FIELD 0xffff
#define PLAN_COLUMNS  2048 /* of one kind at most */

struct plan_column {
	uint8_t type;	 /* enum plan_type */
	uint8_t size;	 /* bytes: 1, 2, 4 or 8; not of PLAN_BYTES */
	uint8_t element; /* of the field: 0..7 */
	uint8_t meaning; /* enum meaning: how a writer guesses */
	bool is_signed;
	uint16_t bytes;	 /* of PLAN_BYTES */
	uint16_t offset; /* in the record */
	uint16_t field;	 /* of the kind, or PLAN_NO_FIELD: padding */
};

/* The first two columns of every plan are PLAN_TIME and PLAN_FLAGS. */
struct plan {
	unsigned kind; /* 0: PLAN_WHOLE */
	unsigned size; /* of the struct */
	unsigned count;
	int key; /* column that rows are grouped by, or -1: the first single
		    number with eight names or more (a system call's) */
	unsigned key_offset, key_size;
	bool is_context; /* of source task: columns_context.h */
	uint32_t check;	 /* CRC-32C of type, size, bytes, offset of all */
	unsigned str_count;
	uint16_t *str; /* offset of each weir_str */
	struct plan_column *column;
};

#define PLAN_WHOLE 0 /* no kind has this number */

/* Plans of the kinds of a schema. */
struct plans {
	struct arena arena;
	struct plan *plan[SCHEMA_KINDS_MAX];
};

/**
 * plans_new - the plans of all kinds, and of PLAN_WHOLE
 *
 * A kind of more than PLAN_COLUMNS columns gets none. @s is not needed
 * afterwards. Read-only from then on.
 * Return: 0; -ENOMEM.
 */
int plans_new(struct plans **ret, const struct schema *s);
void plans_free(struct plans *p); /* NULL-safe */

/** plans_find - Return: a kind's plan, or NULL: its records are kept whole. */
static inline const struct plan *plans_find(const struct plans *p,
					    unsigned kind)
{
	return kind < SCHEMA_KINDS_MAX ? p->plan[kind] : NULL;
}

/** plan_find - Return: the column of a field's element, or -1; of a string
 * the first of its three, PLAN_STR. */
int plan_find(const struct plan *p, unsigned field, unsigned element);

#endif
