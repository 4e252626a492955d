// SPDX-License-Identifier: BSD-2-Clause
/* sink_text.c - events as human lines. */
#include "sink_lines.h"

static int text_event(struct sink *s, const struct event *ev)
{
	struct lines *l = (struct lines *)s;

	render_text(&l->buf, l->render, ev);
	return lines_flush(l, LINES_FLUSH);
}

static const struct sink_ops text_ops = {
	.name = "text",
	.event = text_event,
	.tick = lines_tick,
	.close = lines_close,
};

int sink_text_open(struct sink **ret, const struct render *r, int fd)
{
	return lines_new(ret, &text_ops, r, fd);
}
