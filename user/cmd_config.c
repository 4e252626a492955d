// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_config.c - options from a file: the rows of a command, one a line.
 *
 * Read before the command line, which so has the last word. Every name in the
 * file is checked whichever command runs; values of those that do not concern
 * it are not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "near.h"

#define FILE_MAX (1U << 20) /* bytes */

struct config {
	const char *path;
	const struct command *command; /* to be run */
	void *args;
	const struct command *section; /* NULL: before the first */
	unsigned line;
};

/* ---- the file ------------------------------------------------------------ */

/* What root is told to do is nobody else's to change. */
static const char *not_trusted(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is no file";
	if (st->st_size > FILE_MAX)
		return "it is larger than 1M";
	if (geteuid())
		return NULL;
	if (st->st_uid)
		return "it is not root's (chown root)";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to it (chmod go-w)";
	return NULL;
}

static int read_text(int fd, const char *path, size_t size, char **ret)
{
	char *text = malloc(size + 1);
	ssize_t n = text ? pread(fd, text, size, 0) : -1;

	if (n < 0) {
		free(text);
		return fail("cannot read '%s': %s", path, strerror(errno));
	}
	text[n] = '\0';
	*ret = text;
	return EXIT_OK;
}

static int open_config(const char *path, bool is_default, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	const char *why;
	struct stat st;

	if (fd < 0 && is_default && (errno == ENOENT || errno == EACCES))
		return EXIT_OK;
	if (fd < 0)
		return fail("cannot read '%s': %s", path, strerror(errno));
	why = fstat(fd, &st) ? strerror(errno) : not_trusted(&st);
	if (why)
		rc = fail("'%s' is not used: %s; --config none goes without",
			  path, why);
	else
		rc = read_text(fd, path, (size_t)st.st_size, ret);
	close(fd);
	return rc;
}

/* ---- its lines ----------------------------------------------------------- */

static int wrong_name(const struct config *c, const char *what,
		      const char *name, struct near *near)
{
	const char *best = near_best(near);

	return usage("%s:%u: no %s is called '%.60s'%s%s%s", c->path, c->line,
		     what, name, best ? " (did you mean '" : "",
		     best ? best : "", best ? "'?)" : "");
}

static int enter(struct config *c, char *name)
{
	const struct command *const *each;
	size_t len = strlen(name);
	struct near near;

	if (name[len - 1] != ']')
		return usage("%s:%u: a section is written [COMMAND]", c->path,
			     c->line);
	name[len - 1] = '\0';
	c->section = command_find(name);
	if (c->section && !c->section->hidden)
		return EXIT_OK;
	near_init(&near, name, strlen(name));
	for (each = commands; *each; each++)
		if (!(*each)->hidden)
			near_try(&near, (*each)->name);
	return wrong_name(c, "command", name, &near);
}

static const struct opt *row_of(const struct command *command, const char *name)
{
	char word[80];

	if ((size_t)snprintf(word, sizeof(word), "--%s", name) >= sizeof(word))
		return NULL;
	return opt_find(command->opts, word);
}

static void try_all(const struct command *command, struct near *near)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, command->opts)
		near_try(near, o->name);
}

static int unknown(const struct config *c, const char *name)
{
	const struct command *const *each;
	struct near near;

	near_init(&near, name, strlen(name));
	for (each = commands; *each; each++)
		if (c->section ? *each == c->section : !(*each)->hidden)
			try_all(*each, &near);
	return wrong_name(c, c->section ? "option of that command" : "option",
			  name, &near);
}

static bool is_known(const struct config *c, const char *name)
{
	const struct command *const *each;

	if (c->section)
		return row_of(c->section, name);
	for (each = commands; *each; each++)
		if (!(*each)->hidden && row_of(*each, name))
			return true;
	return false;
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return s;
}

static int set(struct config *c, char *name, char *value)
{
	char why[OPT_ERROR_LEN] = "";
	const struct opt *row;

	if (!is_known(c, name))
		return unknown(c, name);
	row = row_of(c->command, name);
	if (!row || (c->section && c->section != c->command))
		return EXIT_OK;
	if (opt_preset(c->command->opts, c->args, row, value, why) == OPT_OK)
		return EXIT_OK;
	return usage("%s:%u: %s", c->path, c->line, why);
}

static int take_line(struct config *c, char *line)
{
	char *equals;

	c->line++;
	line = trim(line);
	if (!*line || *line == '#')
		return EXIT_OK;
	if (*line == '[')
		return enter(c, line + 1);
	equals = strchr(line, '=');
	if (!equals)
		return usage("%s:%u: '%.60s' is not NAME = VALUE", c->path,
			     c->line, line);
	*equals = '\0';
	return set(c, trim(line), trim(equals + 1));
}

int config_read(const char *path, const struct command *command, void *args,
		char **ret_text)
{
	struct config c = {
		.path = path ? path : CONFIG_PATH,
		.command = command,
		.args = args,
	};
	char *line, *rest;
	int rc;

	if (command->hidden || (path && !strcmp(path, "none")))
		return EXIT_OK;
	rc = open_config(c.path, !path, ret_text);
	rest = *ret_text;
	while (!rc && (line = strsep(&rest, "\n")))
		rc = take_line(&c, line);
	return rc;
}
