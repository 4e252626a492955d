/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - what people look at first, over a pass of an archive: the events
 * of one sort in groups, with counts, failures, sums and quantiles of each.
 *
 * A view is a row of a table, views[]: which kinds, grouped by what, which
 * columns. All fields are bound by name, and what they mean says how they are
 * shown; a schema that lacks them leaves the view empty. A new view is a row.
 * Thread: the owner's only.
 */
#ifndef WEIR_VIEW_H
#define WEIR_VIEW_H

#include "hist.h"
#include "render.h"

#define VIEW_KINDS_MAX	 2
#define VIEW_BOUND_MAX	 16 /* of them, with all variants */
#define VIEW_KEYS_MAX	 3
#define VIEW_COLUMNS_MAX 8
#define VIEW_NUMBERS_MAX 4
#define VIEW_GROUPS_MAX	 4096 /* further ones are counted together */

enum view_what {
	VIEW_COUNT,  /* events */
	VIEW_FAILED, /* of which failed */
	VIEW_ERROR,  /* the commonest error's name */
	VIEW_SUM,
	VIEW_MEAN,
	VIEW_LEAST,
	VIEW_MOST,
	VIEW_QUANTILE,
};

struct view_column {
	const char *head; /* of the table: COUNT */
	const char *key;  /* of the JSON: count */
	enum view_what what;
	const char *field; /* whose numbers, from VIEW_SUM on */
	double share;	   /* of VIEW_QUANTILE: 0..1 */
	bool order;	   /* groups with the most of it come first */
};

/* A field that groups; a tid stands for the name of its task. */
struct view_key {
	const char *head, *key;
	const char *field; /* NULL: the name of the event's own task */
	bool number;	   /* and none of those that have names */
};

struct view_spec {
	const char *name; /* of the JSON */
	struct {
		const char *kind, *error; /* field that tells of failure */
		bool failed_only;
	} of[VIEW_KINDS_MAX];
	/*
	 * Or by whom a connection is with, and which of the two has the
	 * service: fields raddr, lport and rport; keys has names alone.
	 */
	bool by_peer;
	struct view_key keys[VIEW_KEYS_MAX];
	struct view_column columns[VIEW_COLUMNS_MAX];
};

/* Ended by one without a name. In the order in which they are shown. */
extern const struct view_spec views[];

struct view_number {
	uint64_t count, least, most, sum; /* the sum stops at UINT64_MAX */
	struct hist hist;		  /* empty where nobody asks */
};

struct view_group {
	char *label; /* a text for each key, each ended by a NUL; owned, and
			not escaped */
	uint64_t count, failed;
	struct {
		uint64_t count;
		int number;
	} * errors;
	unsigned error_count;
	struct view_number numbers[VIEW_NUMBERS_MAX];
	/* internal */
	struct view_group *chain;
	uint64_t hash;
	uint8_t key_len;
	uint8_t key[];
};

struct view {
	const struct view_spec *spec;
	const struct render *render;
	struct view_group **list; /* view_sort() orders it */
	size_t count;
	/* internal */
	struct {
		const struct schema_kind *kind; /* or NULL */
		bool failed_only;
		const struct schema_field *error;
		const struct schema_field *keys[VIEW_KEYS_MAX];
		const struct schema_field *numbers[VIEW_NUMBERS_MAX];
	} of[VIEW_BOUND_MAX];
	unsigned of_count;
	uint8_t of_kind[SCHEMA_KINDS_MAX]; /* which of them, plus one */
	unsigned key_count, column_count, number_count;
	uint8_t number_of[VIEW_COLUMNS_MAX]; /* of a column */
	bool wants_hist[VIEW_NUMBERS_MAX];
	const struct schema_field *like[VIEW_NUMBERS_MAX]; /* what it means */
	struct view_group **buckets;
	struct view_group *others; /* the last of a full list */
	struct view_ports *ports;  /* who serves; of "peer" */
};

/**
 * view_init - bind it, for the kinds and variants that r->schema has
 * @spec: borrowed, as @r is, for its life
 *
 * r->tasks, if there, says what tids are called at each event.
 * Return: 0; -ENOMEM. To be released with view_done() in any case.
 */
int view_init(struct view *v, const struct view_spec *spec,
	      const struct render *r);

/** view_done - free it; safe on a zeroed one. */
void view_done(struct view *v);

/** view_wants - are events of this kind anything to it? */
bool view_wants(const struct view *v, const struct schema_kind *k);

/**
 * view_event - count a joined event, if it is one
 *
 * Keys are told apart by their first 64 bytes, all keys together. Beyond
 * VIEW_GROUPS_MAX groups all that are new are one, "(others)".
 * Return: 0; -ENOMEM.
 */
int view_event(struct view *v, const struct event *ev);

/** view_sort - order the groups by the columns that say so. */
void view_sort(struct view *v);

/**
 * view_label - Return: what group @g has for key @i, ended by a NUL, as long as
 * @v is there. Bytes as they were in the record: who prints it escapes it.
 */
const char *view_label(const struct view_group *g, unsigned i);

/**
 * view_number - Return: what group @g has in column @i, in the unit of the
 * field's meaning (schema.h); 0 where nothing was counted, and of VIEW_ERROR.
 * Of FIELD_INT fields the bits are taken as they are.
 */
uint64_t view_number(const struct view *v, const struct view_group *g,
		     unsigned i);

/**
 * view_error - the commonest error of a group; of equals the first seen
 * Return: its name, static or in @scratch; NULL: none.
 */
const char *view_error(const struct view_group *g, char scratch[16]);

/**
 * view_cell - append a column as text, in its unit; "-" where none of its
 * events had the field. VIEW_ERROR without any is nothing.
 */
void view_cell(const struct view *v, const struct view_group *g, unsigned i,
	       struct buf *b);

#endif
