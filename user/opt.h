/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt.h - options as rows of a table.
 *
 * A row is the only description of an option: parsing, --help, completion and
 * the manual page's list are made from it. A row says where in the command's
 * own struct of arguments its value goes, so nothing here is global. A command
 * has several tables, so that commands can share rows.
 * Names are never abbreviated. Options and words may be mixed; "--" ends
 * options.
 */
#ifndef WEIR_OPT_H
#define WEIR_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* What the value is, and the type of the member it goes to. */
enum opt_type {
	OPT_FLAG,     /* bool; takes no value */
	OPT_STRING,   /* const char *: the caller's word itself */
	OPT_LIST,     /* struct opt_list: a,b,c and repeatable */
	OPT_EACH,     /* struct opt_list: one value each time, commas kept */
	OPT_DURATION, /* uint64_t, ns; more than 0; a bare number: seconds */
	OPT_SIZE,     /* uint64_t, bytes; more than 0 */
	OPT_COUNT,    /* uint64_t; more than 0 */
};

/* What a shell may complete the value with. */
enum opt_complete {
	OPT_ANYTHING,
	OPT_FILE,
	OPT_SOURCE,
	OPT_EVENT,
};

struct opt {
	char letter;	  /* -s, or 0 */
	const char *name; /* --source, without the dashes */
	enum opt_type type;
	enum opt_complete complete;
	const char *arg;     /* what the value is called: SOURCE,... */
	const char *choices; /* legal values "jsonl csv", or NULL: any */
	const char *help;    /* what it does, begins in lower case */
	const char *also;    /* what others call it, to guess by; or NULL */
	size_t offset;	     /* of the member in the command's arguments; of
				the type that @type says */
};

#define OPT_TABLES_MAX 10 /* of one command, and a NULL */

/* Every row @o of @tables; @t is the table it is in. A table ends with { 0 }.
 */
#define opt_for_each(t, o, tables)                                             \
	for ((t) = (tables); *(t); (t)++)                                      \
		for ((o) = *(t); (o)->name; (o)++)

struct opt_list {
	char **items; /* owned */
	size_t count;
	bool is_preset; /* by opt_preset(): gives way to the command line */
};

/* What remains of the command line. Points into argv. */
struct opt_words {
	char **word;
	unsigned count;
	char **command; /* after "--", ends with NULL; or NULL: none */
};

#define OPT_ERROR_LEN 256

enum opt_result { OPT_OK, OPT_HELP, OPT_WRONG };

/**
 * opt_parse - read a command line into a struct of arguments
 * @tables:  tables of rows, ended by NULL
 * @args:    zeroed struct that all rows' offsets are of
 * @command: what follows "--" is a command line of its own
 * @argv:    words, the command's name not among them; reordered
 * @why:     on OPT_WRONG one line: what is wrong and what would be right
 *
 * Return: OPT_OK; OPT_HELP --help was given; OPT_WRONG with @why. Call
 * opt_done() in any case. Strings point into @argv, lists are copied. What is
 * given twice: the later one counts, lists add up.
 */
enum opt_result opt_parse(const struct opt *const *tables, void *args,
			  bool command, int argc, char **argv,
			  struct opt_words *ret_words, char why[OPT_ERROR_LEN]);

/**
 * opt_preset - give an option a value before opt_parse() does
 * @row:   of one of @tables
 * @value: as on a command line, a flag's "yes" or "no"; a string is borrowed
 *
 * Lists add up with what was preset before, and give way to the command line.
 * Return: OPT_OK; OPT_WRONG with @why.
 */
enum opt_result opt_preset(const struct opt *const *tables, void *args,
			   const struct opt *row, const char *value,
			   char why[OPT_ERROR_LEN]);

/** opt_done - free the lists in @args; what is in them is gone. Twice does no
 * harm. */
void opt_done(const struct opt *const *tables, void *args);

/** opt_help - the rows as the lines of --help, at most 80 columns wide. */
void opt_help(struct buf *b, const struct opt *const *tables);

/** opt_man - the rows as a list in mdoc(7). */
void opt_man(struct buf *b, const struct opt *const *tables);

/** opt_names - "--name" and "-x" of each row, one a line, for completion. */
void opt_names(struct buf *b, const struct opt *const *tables);

/** opt_find - Return: the row that @word ("-s", "--source") names, or NULL. */
const struct opt *opt_find(const struct opt *const *tables, const char *word);

#endif
