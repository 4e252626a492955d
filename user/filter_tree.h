/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_tree.h - a compiled filter as a tree, for filter*.c and for whatever
 * turns parts of it into something else (clauses decided in the kernel).
 *
 * NODE_AND and NODE_OR have two or more children and none of their own type
 * among them, so the conjuncts of a filter are the root's children when it is
 * a NODE_AND, else the root alone. A test is bound for each kind on its own:
 * test->subjects[kind] says what to look at in an event of that kind, or is
 * NULL when the test is false for all of them.
 */
#ifndef WEIR_FILTER_TREE_H
#define WEIR_FILTER_TREE_H

#include "arena.h"
#include "filter.h"

enum node_type {
	NODE_AND,
	NODE_OR,
	NODE_NOT, /* one child */
	NODE_TEST,
};

enum test_op {
	OP_ALONE, /* not empty */
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_GLOB,
	OP_NOT_GLOB,
	OP_IN,
	OP_NOT_IN,
};

/* What every event has beside its kind's fields, by name. */
enum common {
	COMMON_NONE,
	COMMON_TS,
	COMMON_SOURCE,
	COMMON_KIND,
	COMMON_CPU,
	COMMON_PID,
	COMMON_TID,
	COMMON_COMM,
	COMMON_PPID,
	COMMON_UID,
	COMMON_CGROUP,
	COMMON_CONTAINER,
	COMMON_EXE,
	COMMONS,
};

/* A value as it was written. */
struct literal {
	struct literal *next; /* of the same list */
	size_t at;	      /* where, in the expression */
	const char *text;     /* quotes and escapes taken off, ended by a NUL */
	size_t len;
	bool quoted;
};

enum value_type {
	VALUE_NUMBER, /* @number, less than 0 when @negative */
	VALUE_LETTER, /* @number: the letter of a task state */
	VALUE_TEXT,   /* @text, @len: the same bytes, or a glob by operator */
	VALUE_IP,     /* the first @bits of @addr */
};

/* A literal as it is compared with one subject: of a kind's own field. */
struct value {
	uint8_t type; /* enum value_type */
	bool negative;
	uint8_t bits; /* 0..128 */
	uint64_t number;
	const char *text;
	size_t len;
	uint8_t addr[16];
};

enum subject_type {
	SUBJECT_TRUE, /* the outcome of the test is the same for all of them */
	SUBJECT_FALSE,
	SUBJECT_NUMBER,
	SUBJECT_TEXT, /* string, name of an enum's value, path of a cgroup */
	SUBJECT_IP,
};

/* What a test looks at in the events of one kind, and what it wants there. */
struct subject {
	uint8_t type;			  /* enum subject_type */
	uint8_t common;			  /* enum common, or COMMON_NONE: */
	uint8_t meaning;		  /* enum meaning */
	const struct schema_field *field; /* this field of the kind; of
					     COMMON_COMM: whose task's, or NULL:
					     the event's */
	uint32_t value_count;
	const struct value *values;
};

/* One condition on a name, bound for each kind; in the filter's arena. */
struct test {
	enum test_op op;
	size_t at; /* of the name */
	const char *name;
	size_t op_at;
	uint32_t literal_count;
	struct literal *literals; /* first */
	const struct subject *subjects[SCHEMA_KINDS_MAX];
};

struct node {
	enum node_type type;
	struct node *child; /* first */
	struct node *next;  /* of the same parent */
	struct test *test;
};

struct filter {
	struct arena arena; /* holds all of it, this struct too */
	struct node *root;
	const struct tasks *tasks;
};

/** filter_root - Return: the top of the tree, never NULL; lives as @f does. */
const struct node *filter_root(const struct filter *f);

/**
 * filter_put - append the expression that @n stands for; it compiles again
 *
 * Values are written as they were; times that were relative stay so, and mean
 * another instant later. Errors: see buf_err().
 */
void filter_put(struct buf *b, const struct node *n);

/* ---- the steps of filter_compile() --------------------------------------- */

/* What the steps work on. */
struct compiler {
	struct arena *arena;
	const char *expr;
	const struct schema *schema;
	int64_t offset;	 /* realtime - monotonic, ns */
	uint64_t now_ns; /* realtime, or an archive's end */
	struct filter_error *err;
};

/**
 * filter_fail - note what is wrong at @at of the expression, bytes
 *
 * Cut to what filter_error.what holds.
 * Return: -EINVAL, always.
 */
int filter_fail(struct compiler *c, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * filter_parse - text to tree, names and values not looked at
 * Return: 0, the tree in the arena; -EINVAL, also nested too deep; -ENOMEM.
 */
int filter_parse(struct compiler *c, struct node **ret);

/**
 * filter_bind - fill in the subjects of a test
 * Return: 0; -EINVAL; -ENOMEM.
 */
int filter_bind(struct compiler *c, struct test *t);

/**
 * filter_value - read a literal as a value for @subject
 * Return: 0; -EINVAL.
 */
int filter_value(struct compiler *c, const struct test *t,
		 const struct subject *subject, const struct literal *lit,
		 struct value *ret);

/** common_by_name - Return: which one, or COMMON_NONE. */
enum common common_by_name(const char *name);

/** common_name - its name; "" for COMMON_NONE. */
const char *common_name(enum common c);

#endif
