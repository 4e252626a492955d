// SPDX-License-Identifier: BSD-2-Clause
#include "question.h"

#include <string.h>

#include "units.h"

#define WORDS_MAX 4

/* Cut a line at its blanks; the last word is the rest. Return: how many. */
static unsigned split(char *line, char *words[WORDS_MAX])
{
	unsigned n = 0;

	while (line && n < WORDS_MAX - 1)
		words[n++] = strsep(&line, " ");
	if (line)
		words[n++] = line;
	return n;
}

static bool read_snapshot(struct question *q, char *const *words)
{
	if (parse_u64(words[2], &q->after_ns))
		return false;
	q->path = words[3][0] == '/' ? words[3] : NULL;
	return q->path || !strcmp(words[3], "-");
}

void question_read(struct question *ret, char *line)
{
	char *words[WORDS_MAX] = {NULL};
	unsigned n = split(line, words);

	*ret = (struct question){0};
	if (n < 2)
		return;
	ret->json = !strcmp(words[1], "json");
	if (!ret->json && strcmp(words[1], "text") != 0)
		return;
	if (n == 2 && !strcmp(words[0], "status"))
		ret->what = QUESTION_STATUS;
	else if (n == 4 && !strcmp(words[0], "snapshot") &&
		 read_snapshot(ret, words))
		ret->what = QUESTION_SNAPSHOT;
}
