/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * question.h - what a recorder is asked on its socket: a line of words with
 * one blank between.
 *
 *	status text|json
 *	snapshot text|json AFTER PATH	AFTER in ns; PATH: what to call it, to
 *					the end of the line: absolute, or -
 */
#ifndef WEIR_QUESTION_H
#define WEIR_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

enum question_what {
	QUESTION_NONE, /* it is no question */
	QUESTION_STATUS,
	QUESTION_SNAPSHOT,
};

struct question {
	enum question_what what;
	bool json;	   /* the answer */
	uint64_t after_ns; /* of a snapshot */
	const char *path;  /* in the line; NULL: none */
};

/** question_read - take a line, of anything, apart; it is changed, and must
 * live as long as @ret. What is no question may still say json. */
void question_read(struct question *ret, char *line);

#endif
