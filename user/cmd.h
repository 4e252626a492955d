/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd.h - the commands, and what they share: how they speak to the user and
 * how they open archives.
 *
 * A command is a row: main.c finds it, parses its options into a zeroed struct
 * of args_size bytes and calls run(). Only main.c and cmd_*.c print: data on
 * stdout, words on stderr, one line for each error with cause and remedy.
 */
#ifndef WEIR_CMD_H
#define WEIR_CMD_H

#include "opt.h"
#include "replay.h"

/*
 * Exit codes; those from 126 on are the shell's (POSIX, Shell Command Language,
 * 2.8.2), for commands that run another one.
 */
enum cmd_exit {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_LOSSES = 3,       /* done, but events were lost */
	EXIT_CANNOT_RUN = 126, /* COMMAND is there but cannot be executed */
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128, /* and the signal's number */
};

struct command {
	const char *name;
	const char *synopsis; /* what follows the options: ARCHIVE... */
	const char *help;     /* one line, begins in lower case */
	const char *about;    /* the rest of --help, lines of 79 columns */
	const struct opt *opts[OPT_TABLES_MAX]; /* ended by NULL */
	size_t args_size;
	unsigned min_words, max_words;
	bool takes_command; /* "-- COMMAND ARG..." */
	bool hidden;	    /* not listed: for shells and tests */
	int (*run)(const void *args, const struct opt_words *words);
};

/* One row for each file cmd_<name>.c; ended by a NULL in commands[]. */
extern const struct command cmd_record, cmd_watch, cmd_show, cmd_stat,
	cmd_tasks, cmd_sql, cmd_hist, cmd_export, cmd_verify, cmd_list,
	cmd_doctor, cmd_complete, cmd_man, cmd_snapshot, cmd_status, cmd_unpin;
extern const struct command *const commands[];

/** command_find - Return: the command called @name in full, or NULL; hidden
 * ones, too. */
const struct command *command_find(const char *name);

#define ARCHIVES_MAX 1024 /* ARCHIVE words of one command line */

/* ---- words: cmd_common.c ------------------------------------------------- */

/**
 * say - "weir: " and one line on stderr, without a newline in @fmt
 *
 * What is not fit for a terminal is escaped.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** fail - say it. Return: EXIT_FAILED. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** usage - say it. Return: EXIT_USAGE. */
int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * usage_filter - a filter that does not parse: what is wrong, the expression,
 * and a caret under the place. Return: EXIT_USAGE.
 */
int usage_filter(const char *expr, const struct filter_error *err);

/** say_at - a line of text that cannot be understood; a caret under the place.
 */
void say_at(const char *text, size_t at);

/**
 * put_stdout - write @b to stdout and free it
 *
 * Return: EXIT_OK; EXIT_FAILED, said why unless the reader went away.
 */
int put_stdout(struct buf *b);

/**
 * write_failed - an output could not be written: EPIPE says nothing
 * @name: of the output
 * @err:  -errno
 * Return: EXIT_FAILED.
 */
int write_failed(const char *name, int err);

/* ---- options from a file: cmd_config.c ----------------------------------- */

#define CONFIG_PATH "/etc/weir.conf"

/**
 * config_read - set the options a file gives, before the command line does
 * @path:     or NULL: CONFIG_PATH, which may be missing; "none": no file
 * @ret_text: the file's text, which options point into: to be freed after them
 *
 * Return: EXIT_OK; EXIT_FAILED or EXIT_USAGE, having said why.
 */
int config_read(const char *path, const struct command *command, void *args,
		char **ret_text);

/* ---- archives: cmd_query.c ----------------------------------------------- */

/* The options of a question, first member of a command's arguments. */
struct query_args {
	struct opt_list sources, kinds;
	const char *filter, *from, *to; /* of argv, or NULL */
	bool utc, json, quiet;
	uint64_t jobs, limit; /* 0: not given */
};

/* Rows that commands share; offsets are of struct query_args. */
extern const struct opt opts_select[], opts_span[], opts_utc[], opts_json[],
	opts_quiet[], opts_jobs[], opts_ahead[], opts_limit[];

/**
 * query_open - open the archives and compile the question; says what is wrong
 * Return: EXIT_OK and @r to be closed by replay_close(); else the exit code.
 */
int query_open(struct replay *r, const struct query_args *args,
	       const struct opt_words *words);

/**
 * query_end - tell of losses and damage in the interval that was asked for
 * @err: what replay_each() or replay_sink() returned
 * Return: the exit code: EXIT_OK; EXIT_LOSSES; EXIT_FAILED on other errors.
 */
int query_end(const struct replay *r, int err);

/** say_open_failed - why archives could not be opened. Return: exit code. */
int say_open_failed(int err, const char *path);

#endif
