/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render_fixture.h - one event and the three ways it is shown.
 */
#ifndef WEIR_TEST_RENDER_FIXTURE_H
#define WEIR_TEST_RENDER_FIXTURE_H

#include "../../user/render.h"
#include "model.h"

#define WALL 1795356195000000000LL /* so that 5 s are 14:03:20 UTC */

struct fixture {
	struct schema *schema;
	struct render render;
	struct record record;
	struct buf buf;
	struct csv *csv;
};

static inline void fixture_start(struct fixture *x, const char *template)
{
	memset(x, 0, sizeof(*x));
	x->schema = model_schema_with(template);
	x->render.schema = x->schema;
	x->render.wall_offset = WALL;
	x->render.utc = true;
	record_begin(&x->record, x->schema, "model_all");
}

static inline void fixture_done(struct fixture *x)
{
	csv_free(x->csv);
	buf_done(&x->buf);
	schema_free(x->schema);
}

static inline void text_is(struct fixture *x, const char *field,
			   const char *text)
{
	struct event ev = record_event(&x->record, x->schema);

	render_field(&x->buf, &x->render, &ev, record_field(&x->record, field));
	expect(&x->buf, text);
}

/* The value of @field in the JSON object and all that follows it. */
static inline void json_has(struct fixture *x, const char *piece)
{
	struct event ev = record_event(&x->record, x->schema);

	render_json(&x->buf, &x->render, &ev);
	buf_putc(&x->buf, '\0');
	if (!strstr(x->buf.data, piece))
		fail_msg("no %s in %s", piece, x->buf.data);
	buf_reset(&x->buf);
}

static inline void csv_has(struct fixture *x, const char *piece)
{
	struct event ev = record_event(&x->record, x->schema);

	if (!x->csv)
		assert_int_equal(csv_new(&x->csv, x->schema, NULL), 0);
	render_csv(&x->buf, x->csv, &x->render, &ev);
	buf_putc(&x->buf, '\0');
	if (!strstr(x->buf.data, piece))
		fail_msg("no %s in %s", piece, x->buf.data);
	buf_reset(&x->buf);
}

#endif
