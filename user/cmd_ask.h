/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_ask.h - what `weir snapshot` and `weir status` share: speak to a
 * recorder that runs. See control.h for what is said.
 */
#ifndef WEIR_CMD_ASK_H
#define WEIR_CMD_ASK_H

#include "cmd.h"

struct ask_args {
	const char *name;
	bool json;
};

/* Rows of both; offsets are of struct ask_args. */
extern const struct opt opts_ask[];

/**
 * ask_recorder - ask one recorder, print what it answers
 * @name:     as given, or NULL: the only one that runs
 * @question: a line without its end
 *
 * @done:     called with where a snapshot was made before the answer is
 *            printed; what it returns but EXIT_OK is the exit code, and nothing
 *            is printed. May be NULL
 *
 * Return: the exit code it answers; EXIT_FAILED, having said why.
 */
int ask_recorder(const char *name, const char *question,
		 int (*done)(void *arg, const char *made), void *arg);

/** ask_names - names of the recorders that run, blanks between, in @b.
 * Return: how many; -errno. */
int ask_names(struct buf *b);

#endif
