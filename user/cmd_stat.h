/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_stat.h - the views of `weir stat` (view.h), all of them in one pass.
 */
#ifndef WEIR_CMD_STAT_H
#define WEIR_CMD_STAT_H

#include "json.h"
#include "view.h"

#define STAT_VIEWS_MAX 16

struct stat_views {
	struct view view[STAT_VIEWS_MAX];
	unsigned count;
	uint16_t of_kind[SCHEMA_KINDS_MAX]; /* which want it: a bit each */
};

/** stat_views_init - one of each of views[]; @r is borrowed as view_init()
 * does. Return: 0; -ENOMEM. */
int stat_views_init(struct stat_views *s, const struct render *r);

/** stat_views_done - safe after a failed init, and on a zeroed one. */
void stat_views_done(struct stat_views *s);

/** stat_views_event - count a joined event in each view that wants it.
 * Return: 0; -ENOMEM. */
int stat_views_event(struct stat_views *s, const struct event *ev);

/** stat_views_sort - once, before they are printed. */
void stat_views_sort(struct stat_views *s);

/** stat_views_shown - Return: how many have something. */
unsigned stat_views_shown(const struct stat_views *s);

/** stat_views_text - append those that have something, @top rows of each. */
void stat_views_text(const struct stat_views *s, size_t top, struct buf *out);

/** stat_views_json - a member for each, with @top elements at most. */
void stat_views_json(const struct stat_views *s, size_t top, struct json *j);

#endif
