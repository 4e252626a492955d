// SPDX-License-Identifier: BSD-2-Clause
/* sink_json.c - events as JSON, one object a line. */
#include "sink_lines.h"

static int json_event(struct sink *s, const struct event *ev)
{
	struct lines *l = (struct lines *)s;

	render_json(&l->buf, l->render, ev);
	return lines_flush(l, LINES_FLUSH);
}

static const struct sink_ops json_ops = {
	.name = "json",
	.event = json_event,
	.tick = lines_tick,
	.close = lines_close,
};

int sink_json_open(struct sink **ret, const struct render *r, int fd)
{
	return lines_new(ret, &json_ops, r, fd);
}
