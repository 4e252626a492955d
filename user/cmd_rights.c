// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_rights.c - whom a recording becomes, and what it gives up for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd_capture.h"

/* Return: EXIT_OK, and whom to become, if anybody. */
static int find_user(struct capture *c)
{
	const char *name = c->args->user;

	c->confines = !name || strcmp(name, "root");
	if (!c->confines)
		return EXIT_OK;
	c->becomes = !geteuid();
	if (!name && c->becomes && confine_caller(&c->user))
		return EXIT_OK;
	if (confine_user(name ? name : CONFINE_NOBODY, &c->user))
		return usage("--user: nobody is called '%.60s'", name);
	if (name && !c->becomes && c->user.uid != geteuid())
		return usage("--user: only root can become '%.60s'", name);
	return EXIT_OK;
}

static int start_errand(struct capture *c)
{
	struct errand_options o = {
		.pidfd = c->child.pidfd,
		.pin = &c->pinning.pin,
		.at = -1,
		.dir = c->args->spool,
	};
	int err;

	if (!c->confines ||
	    (geteuid() && !c->command && c->pinning.pin.fd < 0 && !o.dir))
		return EXIT_OK;
	if (o.dir)
		o.at = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = errand_start(&c->errand, &o);
	if (o.at >= 0)
		close(o.at);
	return err ? fail("cannot fork: %s", strerror(-err)) : EXIT_OK;
}

/* Forks; in this order, for the second is to know the first. */
static int start_others(struct capture *c)
{
	int err = c->command ? child_start(&c->child, c->command) : 0;

	if (err)
		return fail("cannot start '%s': %s", c->command[0],
			    strerror(-err));
	return start_errand(c);
}

void rights_clear(struct capture *c)
{
	if (c->args->spool && rmdir(c->args->spool) && c->errand)
		errand_clear(c->errand);
}

int rights_open(struct capture *c)
{
	int rc = find_user(c);

	if (!rc)
		rc = pinning_open(&c->pinning, c->args);
	return rc || c->args->explain ? rc : start_others(c);
}

int rights_give_up(struct capture *c, const int *dirs, size_t dir_count)
{
	struct confine what = {
		.user = c->becomes ? &c->user : NULL,
		.dirs = dirs,
		.dir_count = dir_count,
	};
	int err;

	tzset(); /* reads a file */
	err = privileged_open(&c->privileged);
	if (!err)
		err = confine(&what);
	return err ? fail("cannot give up privileges: %s (--user root keeps "
			  "them)",
			  strerror(-err))
		   : EXIT_OK;
}
