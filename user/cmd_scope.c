// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_scope.c - which processes a recording is about, and all else that was
 * asked for; see cmd_capture.h.
 */
#include <errno.h>
#include <string.h>

#include "cmd_capture.h"
#include "kernel.h"

#define PLAIN                                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"       \
	"_.,:/%=@+-"

/* ---- what was asked for, as words ---------------------------------------- */

/* As a shell takes it. */
static void put_word(struct buf *to, const char *word)
{
	if (*word && !word[strspn(word, PLAIN)]) {
		buf_puts(to, word);
		return;
	}
	buf_putc(to, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_puts(to, "'\\'");
		buf_putc(to, *word);
	}
	buf_putc(to, '\'');
}

static void put_option_name(struct buf *to, const char *option)
{
	buf_printf(to, "%s%s ", to->len ? " " : "", option);
}

static void put_option(struct buf *to, const char *option, const char *value)
{
	put_option_name(to, option);
	put_word(to, value);
}

static void put_each(struct buf *to, const char *option,
		     const struct opt_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		put_option(to, option, l->items[i]);
}

static void put_list(struct buf *to, const char *option,
		     const struct opt_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		if (i)
			buf_putc(to, ',');
		else
			put_option_name(to, option);
		put_word(to, l->items[i]);
	}
}

static int put_asked(struct buf *to, const struct capture_args *a)
{
	put_list(to, "-s", &a->query.sources);
	put_list(to, "-e", &a->query.kinds);
	if (a->query.filter)
		put_option(to, "-f", a->query.filter);
	put_list(to, "-p", &a->trees);
	put_each(to, "--cgroup", &a->cgroups);
	put_each(to, "--set", &a->settings);
	if (a->budget)
		put_option(to, "--budget", a->budget);
	buf_putc(to, '\0');
	return buf_err(to);
}

/* ---- which processes ----------------------------------------------------- */

static int add_tree(struct capture *c, const char *text)
{
	int err = source_scope_tree(&c->scope, text);

	if (err == -EINVAL)
		return usage("-p '%.60s' is no number of a process (pgrep -d, "
			     "NAME prints them)",
			     text);
	if (err == -ESRCH)
		return fail("-p %s: there is no such process", text);
	return err ? usage("-p: at most %d processes", SCOPE_MAX) : EXIT_OK;
}

static int add_cgroup(struct capture *c, const char *path)
{
	int err = source_scope_cgroup(&c->scope, path);

	if (err == -EOPNOTSUPP)
		return fail("--cgroup: this host has no cgroup v2 (mount -t "
			    "cgroup2 none DIR, or choose by -p or -f)");
	if (err == -ENOENT)
		return fail("--cgroup '%s': there is no such cgroup of v2 (see "
			    "systemd-cgls)",
			    path);
	if (err == -E2BIG)
		return usage("--cgroup: at most %d of them", SCOPE_MAX);
	return err ? fail("--cgroup '%s': %s", path, strerror(-err)) : EXIT_OK;
}

/* Programs see the kernel's numbers: not COMMAND's here, nor weir's own. */
static int check_namespaces(const struct capture *c)
{
	struct kernel k;

	kernel_probe(&k);
	if (c->args->explain)
		return EXIT_OK;
	if (k.inner_user)
		return fail("cannot record from a user namespace, whose root "
			    "may not use BPF (run it as the host's)");
	if (!k.inner_pids)
		return EXIT_OK;
	return fail("cannot record from a pid namespace, where processes have "
		    "other numbers than in the kernel (docker run --pid=host)");
}

/* The kernel still knows, of what is pinned; what was named may have ended. */
int scope_open(struct capture *c)
{
	const struct capture_args *a = c->args;
	int rc = put_asked(&c->asked, a) ? fail("out of memory")
					 : check_namespaces(c);
	size_t i;

	if (rc)
		return rc;
	c->scope.taken = c->pinning.takes &&
			 (a->trees.count || a->cgroups.count);
	if (c->scope.taken)
		return EXIT_OK;
	for (i = 0; !rc && i < a->trees.count; i++)
		rc = add_tree(c, a->trees.items[i]);
	for (i = 0; !rc && i < a->cgroups.count; i++)
		rc = add_cgroup(c, a->cgroups.items[i]);
	return rc;
}
