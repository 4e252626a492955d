/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_place.h - one archive for each test: its store, a directory of its own,
 * on a small disk where that is asked for.
 */
#ifndef WEIR_TEST_STORE_PLACE_H
#define WEIR_TEST_STORE_PLACE_H

#include "store.h"

#include <sys/mount.h>

static struct store store;
static char dir[64], path[80]; /* of the archive, not made yet */
static bool place_mounted;

static int place_set_up(void **state)
{
	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	store_init(&store);
	return 0;
}

static int place_tear_down(void **state)
{
	(void)state;
	store_done(&store);
	if (place_mounted)
		umount2(dir, MNT_DETACH);
	place_mounted = false;
	store_remove(dir);
	return 0;
}

/* The directory becomes a disk of that size; where it cannot, a skip. */
static inline void place_small_disk(const char *size)
{
	if (mount("weir-test", dir, "tmpfs", 0, size)) {
		print_message("cannot mount a tmpfs: %s\n", strerror(errno));
		skip();
	}
	place_mounted = true;
}

#endif
