// SPDX-License-Identifier: BSD-2-Clause
/* sink_csv.c - events as comma-separated values, column names first. */
#include "sink_lines.h"

static int csv_event(struct sink *s, const struct event *ev)
{
	struct lines *l = (struct lines *)s;

	render_csv(&l->buf, l->csv, l->render, ev);
	return lines_flush(l, LINES_FLUSH);
}

static const struct sink_ops csv_ops = {
	.name = "csv",
	.event = csv_event,
	.tick = lines_tick,
	.close = lines_close,
};

int sink_csv_open(struct sink **ret, const struct render *r, const bool *kinds,
		  int fd)
{
	struct sink *s;
	struct lines *l;
	int err = lines_new(&s, &csv_ops, r, fd);

	if (err)
		return err;
	l = (struct lines *)s;
	err = csv_new(&l->csv, r->schema, kinds);
	if (err) {
		lines_close(s);
		return err;
	}
	render_csv_head(&l->buf, l->csv);
	*ret = s;
	return 0;
}
