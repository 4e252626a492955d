// SPDX-License-Identifier: BSD-2-Clause
/*
 * opt.c - command lines into structs of arguments; see opt.h.
 */
#include "opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "units.h"

struct parser {
	const struct opt *const *tables;
	char *args;
	char **argv;
	int argc, at; /* @at: the word being looked at */
	bool presets;
	char *why;
};

#define wrong(p, ...)                                                          \
	(snprintf((p)->why, OPT_ERROR_LEN, __VA_ARGS__), OPT_WRONG)

static const struct opt *find_name(const struct opt *const *tables,
				   const char *name, size_t len)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, tables)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

static const struct opt *find_letter(const struct opt *const *tables,
				     char letter)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, tables)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

const struct opt *opt_find(const struct opt *const *tables, const char *word)
{
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-')
		return find_name(tables, word + 2, strlen(word + 2));
	return word[2] ? NULL : find_letter(tables, word[1]);
}

/* ---- values -------------------------------------------------------------- */

static void free_list(struct opt_list *list)
{
	while (list->count)
		free(list->items[--list->count]);
	free(list->items);
	list->items = NULL;
}

static enum opt_result list_add(struct parser *p, struct opt_list *list,
				const char *value, size_t len)
{
	char **items;

	if (list->is_preset && !p->presets)
		free_list(list);
	list->is_preset = p->presets;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (!items)
		return wrong(p, "out of memory");
	list->items = items;
	items[list->count] = strndup(value, len);
	if (!items[list->count])
		return wrong(p, "out of memory");
	list->count++;
	return OPT_OK;
}

static enum opt_result list_split(struct parser *p, const struct opt *o,
				  const char *value)
{
	struct opt_list *list = (void *)(p->args + o->offset);
	enum opt_result result = OPT_OK;
	size_t len;

	do {
		len = strcspn(value, ",");
		if (!len)
			return wrong(p,
				     "--%s has an empty name (write "
				     "--%s a,b)",
				     o->name, o->name);
		result = list_add(p, list, value, len);
		value += len;
	} while (result == OPT_OK && *value++);
	return result;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value), n;

	for (; len && *choices; choices += n + strspn(choices + n, " ")) {
		n = strcspn(choices, " ");
		if (n == len && !memcmp(choices, value, n))
			return true;
	}
	return false;
}

static enum opt_result put_string(struct parser *p, const struct opt *o,
				  const char *value)
{
	if (!*value)
		return wrong(p, "--%s needs a value: --%s %s", o->name, o->name,
			     o->arg);
	if (o->choices && !is_choice(o->choices, value))
		return wrong(p, "--%s cannot be '%.60s' (one of: %s)", o->name,
			     value, o->choices);
	memcpy(p->args + o->offset, &value, sizeof(value));
	return OPT_OK;
}

/* As sleep(1) and timeout(1) take it: a bare number is seconds. */
static int parse_span(const char *value, uint64_t *ret_ns)
{
	char seconds[32];

	if (!*value || value[strspn(value, "0123456789.")])
		return parse_duration_ns(value, ret_ns);
	if ((size_t)snprintf(seconds, sizeof(seconds), "%ss", value) >=
	    sizeof(seconds))
		return -ERANGE;
	return parse_duration_ns(seconds, ret_ns);
}

static enum opt_result put_number(struct parser *p, const struct opt *o,
				  const char *value)
{
	static const struct {
		int (*parse)(const char *text, uint64_t *ret);
		const char *what, *write;
	} numbers[] = {
		[OPT_DURATION] = {parse_span, "duration", "10ms, 5s, 2h"},
		[OPT_SIZE] = {parse_size, "size", "64K, 16M, 1G"},
		[OPT_COUNT] = {parse_u64, "count", "1, 10, 500"},
	};
	uint64_t number;

	if (numbers[o->type].parse(value, &number) || !number)
		return wrong(p, "--%s: '%.60s' is no %s (write %s)", o->name,
			     value, numbers[o->type].what,
			     numbers[o->type].write);
	memcpy(p->args + o->offset, &number, sizeof(number));
	return OPT_OK;
}

static enum opt_result put(struct parser *p, const struct opt *o,
			   const char *value)
{
	bool *flag = (void *)(p->args + o->offset);

	switch (o->type) {
	case OPT_FLAG:
		*flag = true;
		return OPT_OK;
	case OPT_STRING:
		return put_string(p, o, value);
	case OPT_LIST:
		return list_split(p, o, value);
	case OPT_EACH:
		return list_add(p, (void *)(p->args + o->offset), value,
				strlen(value));
	case OPT_DURATION:
	case OPT_SIZE:
	case OPT_COUNT:
		return put_number(p, o, value);
	}
	return OPT_WRONG;
}

enum opt_result opt_preset(const struct opt *const *tables, void *args,
			   const struct opt *row, const char *value,
			   char why[OPT_ERROR_LEN])
{
	struct parser p = {
		.tables = tables,
		.args = args,
		.presets = true,
		.why = why,
	};
	bool *flag = (void *)(p.args + row->offset);

	if (row->type != OPT_FLAG)
		return put(&p, row, value);
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return wrong(&p, "--%s is yes or no, not '%.60s'", row->name,
			     value);
	*flag = !strcmp(value, "yes");
	return OPT_OK;
}

/* ---- words --------------------------------------------------------------- */

/* The option that was probably meant, or NULL. */
static const char *meant(const struct parser *p, const char *name, size_t len)
{
	const struct opt *const *t, *o;
	struct near near;

	near_init(&near, name, len);
	opt_for_each (t, o, p->tables) {
		if (o->also && strlen(o->also) == len &&
		    !memcmp(o->also, name, len))
			return o->name;
		near_try(&near, o->name);
	}
	near_try(&near, "help");
	return near_best(&near);
}

static enum opt_result unknown(struct parser *p, const char *name, size_t len)
{
	const char *other = meant(p, name, len);

	if (other)
		return wrong(p,
			     "unknown option '--%.*s' (did you mean "
			     "'--%s'?)",
			     len < 60 ? (int)len : 60, name, other);
	return wrong(p, "unknown option '--%.*s' (--help lists them all)",
		     len < 60 ? (int)len : 60, name);
}

/* A letter that others have, as that of what they call it: -p, --pid. */
static enum opt_result unknown_letter(struct parser *p, char letter)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, p->tables)
		if (o->also && o->also[0] == letter)
			return wrong(p,
				     "unknown option '-%c' (did you mean "
				     "'--%s %s'?)",
				     letter, o->name, o->arg);
	return wrong(p, "unknown option '-%c' (--help lists them all)", letter);
}

/* The value in the next word. */
static enum opt_result put_next(struct parser *p, const struct opt *o)
{
	if (p->at + 1 >= p->argc)
		return wrong(p, "--%s needs a value: --%s %s", o->name, o->name,
			     o->arg);
	return put(p, o, p->argv[++p->at]);
}

static enum opt_result parse_long(struct parser *p)
{
	const char *name = p->argv[p->at] + 2;
	size_t len = strcspn(name, "=");
	const struct opt *o = find_name(p->tables, name, len);

	if (len == 4 && !memcmp(name, "help", 4))
		return OPT_HELP;
	if (!o)
		return unknown(p, name, len);
	if (o->type == OPT_FLAG && name[len])
		return wrong(p, "--%s takes no value", o->name);
	if (o->type == OPT_FLAG || name[len])
		return put(p, o, name + len + 1);
	return put_next(p, o);
}

/* "-q", "-qs task", "-stask" */
static enum opt_result parse_letters(struct parser *p)
{
	const char *s = p->argv[p->at] + 1;
	enum opt_result result = OPT_OK;
	const struct opt *o;

	for (; *s && result == OPT_OK; s++) {
		o = find_letter(p->tables, *s);
		if (!o && *s == 'h')
			return OPT_HELP;
		if (!o)
			return unknown_letter(p, *s);
		if (o->type != OPT_FLAG && s[1])
			return put(p, o, s + 1);
		result = o->type == OPT_FLAG ? put(p, o, NULL) : put_next(p, o);
	}
	return result;
}

static enum opt_result parse_option(struct parser *p)
{
	return p->argv[p->at][1] == '-' ? parse_long(p) : parse_letters(p);
}

static enum opt_result take_command(struct parser *p, struct opt_words *words)
{
	if (p->at >= p->argc)
		return wrong(p, "a command must follow '--'");
	words->command = p->argv + p->at;
	return OPT_OK;
}

enum opt_result opt_parse(const struct opt *const *tables, void *args,
			  bool command, int argc, char **argv,
			  struct opt_words *ret_words, char why[OPT_ERROR_LEN])
{
	struct parser p = {
		.tables = tables,
		.args = args,
		.argv = argv,
		.argc = argc,
		.why = why,
	};
	enum opt_result result = OPT_OK;
	char *word;

	*ret_words = (struct opt_words){.word = argv};
	for (; p.at < argc && result == OPT_OK; p.at++) {
		word = argv[p.at];
		if (!strcmp(word, "--"))
			break;
		if (word[0] == '-' && word[1])
			result = parse_option(&p);
		else
			argv[ret_words->count++] = word;
	}
	if (result != OPT_OK || p.at >= argc)
		return result;
	p.at++;
	if (command)
		return take_command(&p, ret_words);
	while (p.at < argc)
		argv[ret_words->count++] = argv[p.at++];
	return OPT_OK;
}

void opt_done(const struct opt *const *tables, void *args)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, tables)
		if (o->type == OPT_LIST || o->type == OPT_EACH)
			free_list((void *)((char *)args + o->offset));
}
