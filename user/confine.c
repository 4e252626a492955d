// SPDX-License-Identifier: BSD-2-Clause
/*
 * confine.c - who to become, and the order of what is given up; see confine.h.
 */
#include "confine.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OVERFLOW_ID 65534 /* include/linux/highuid.h */

/* ---- who ----------------------------------------------------------------- */

static bool parse_id(const char *text, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	*ret = (unsigned)n;
	return !*end && !errno && n < UINT_MAX;
}

int confine_user(const char *name, struct confine_user *ret)
{
	const struct passwd *p = getpwnam(name);
	unsigned id;

	if (!p && parse_id(name, &id)) {
		p = getpwuid(id);
		*ret = (struct confine_user){id, p ? p->pw_gid : id};
		return 0;
	}
	if (!p && strcmp(name, CONFINE_NOBODY))
		return -ENOENT;
	*ret = (struct confine_user){OVERFLOW_ID, OVERFLOW_ID};
	if (p)
		*ret = (struct confine_user){p->pw_uid, p->pw_gid};
	return 0;
}

bool confine_caller(struct confine_user *ret)
{
	return !geteuid() && parse_id(getenv("SUDO_UID"), &ret->uid) &&
	       ret->uid && parse_id(getenv("SUDO_GID"), &ret->gid);
}

/* ---- what is given up ---------------------------------------------------- */

int confine_quiet(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return 0;
}

/*
 * Not by libc, whose functions change all threads: privileged.h's must stay.
 * Kernel: setresuid() from root to others clears the capabilities of the
 * calling thread (security/commoncap.c, cap_emulate_setxuid()).
 */
static int become(const struct confine_user *u)
{
	if (!u || (u->uid == getuid() && u->uid == geteuid()))
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) ||
	    syscall(SYS_setresgid, u->gid, u->gid, u->gid) ||
	    syscall(SYS_setresuid, u->uid, u->uid, u->uid))
		return -errno;
	return 0;
}

/* Without CAP_SETPCAP the bounding set stays, and bounds nothing any more. */
static int drop_bounding(void)
{
	cap_value_t cap;

	for (cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_get_bound(cap) && cap_drop_bound(cap))
			return errno == EPERM ? 0 : -errno;
	return 0;
}

int confine_capabilities(const int *keep, size_t count)
{
	cap_t caps = cap_init(); /* none */
	int n = (int)count, err = drop_bounding();

	if (!caps)
		return -ENOMEM;
	cap_reset_ambient();
	if (n && (cap_set_flag(caps, CAP_PERMITTED, n, keep, CAP_SET) ||
		  cap_set_flag(caps, CAP_EFFECTIVE, n, keep, CAP_SET)))
		err = -EINVAL;
	if (!err && cap_set_proc(caps))
		err = -errno;
	cap_free(caps);
	return err;
}

int confine(const struct confine *c)
{
	int err = confine_quiet();

	if (!err)
		err = confine_files(c->dirs, c->dir_count, true);
	if (!err)
		err = drop_bounding();
	if (!err)
		err = become(c->user);
	if (!err)
		err = confine_capabilities(NULL, 0);
	return err ? err : confine_calls();
}
