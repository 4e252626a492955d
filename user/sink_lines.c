// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_lines.c - gather lines, write them out; see sink_lines.h.
 */
#include "sink_lines.h"

#include <errno.h>
#include <stdlib.h>

int lines_new(struct sink **ret, const struct sink_ops *ops,
	      const struct render *render, int fd)
{
	struct lines *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->sink.ops = ops;
	l->render = render;
	l->fd = fd;
	*ret = &l->sink;
	return 0;
}

int lines_flush(struct lines *l, size_t at_least)
{
	if (l->err)
		buf_reset(&l->buf);
	else if (l->buf.err || l->buf.len >= at_least)
		l->err = buf_flush(&l->buf, l->fd);
	return l->err;
}

int lines_tick(struct sink *s, uint64_t mono_ns)
{
	(void)mono_ns;
	return lines_flush((struct lines *)s, 1);
}

int lines_close(struct sink *s)
{
	struct lines *l = (struct lines *)s;
	int err = lines_flush(l, 1);

	buf_done(&l->buf);
	csv_free(l->csv);
	free(l);
	return err;
}
