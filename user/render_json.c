// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "args.h"
#include "names.h"
#include "render.h"
#include "render_value.h"
#include "tasks.h"

static void put_key(struct buf *b, const char *name, const char *suffix)
{
	buf_put(b, ",\"", 2);
	buf_puts(b, name);
	buf_puts(b, suffix);
	buf_put(b, "\":", 2);
}

static void put_text(struct buf *b, const char *key, const char *value)
{
	put_key(b, key, "");
	if (value)
		render_json_string(b, value, strlen(value));
	else
		buf_put(b, "null", 4);
}

/* ---- strings ------------------------------------------------------------- */

static void put_words(struct buf *b, const struct field_bytes *words)
{
	const uint8_t *p = words->data, *end = p + words->len, *nul;
	const char *before = "[";

	if (p == end)
		buf_putc(b, '[');
	while (p < end) {
		nul = memchr(p, '\0', (size_t)(end - p));
		buf_puts(b, before);
		render_json_string(b, p, (size_t)((nul ? nul : end) - p));
		p = nul ? nul + 1 : end;
		before = ",";
	}
	buf_putc(b, ']');
}

static void put_string(struct buf *b, const struct event *ev,
		       const struct schema_field *f)
{
	struct field_bytes s = field_bytes(ev, f);

	if (s.full == WEIR_STR_UNKNOWN) {
		buf_put(b, "null", 4);
	} else if (f->meaning == MEANING_ARGV) {
		put_words(b, &s);
	} else if (f->type == FIELD_BYTES) {
		/* an address or hexadecimal digits: nothing to escape */
		buf_putc(b, '"');
		render_string(b, ev, f);
		buf_putc(b, '"');
	} else {
		render_json_string(b, s.data, s.len);
	}
}

static void put_full(struct buf *b, const struct event *ev,
		     const struct schema_field *f)
{
	struct field_bytes s = field_bytes(ev, f);

	if (s.full == WEIR_STR_UNKNOWN || s.full <= s.len)
		return;
	put_key(b, f->name, "_full");
	buf_u64(b, s.full);
}

/* ---- numbers ------------------------------------------------------------- */

/* Numbers that are known by a name or in another form only. */
static bool is_symbol(const struct schema_field *f)
{
	return f->names || f->meaning == MEANING_HEX ||
	       f->meaning == MEANING_DEV;
}

static void put_number(struct buf *b, const struct render *r,
		       const struct schema_field *f, int64_t v)
{
	if (is_symbol(f)) {
		buf_putc(b, '"');
		render_symbol(b, f, (uint64_t)v);
		buf_putc(b, '"');
	} else if (f->meaning == MEANING_TIME) {
		if (v)
			buf_u64(b, (uint64_t)v + (uint64_t)r->wall_offset);
		else
			buf_put(b, "null", 4);
	} else if (f->meaning == MEANING_BOOL) {
		buf_puts(b, v ? "true" : "false");
	} else if (f->type == FIELD_INT) {
		buf_s64(b, v);
	} else {
		buf_u64(b, (uint64_t)v);
	}
}

const char *render_json_name(const struct schema_field *f, int64_t v,
			     char scratch[16])
{
	switch (f->meaning) {
	case MEANING_ERRNO:
		return errno_name((uint64_t)v);
	case MEANING_RET:
		return v < 0 && v >= -ERRNO_MAX ? errno_name((uint64_t)-v)
						: NULL;
	case MEANING_SIGNAL:
		return signal_name(v, scratch);
	case MEANING_STATE:
		scratch[0] = state_letter((uint64_t)v);
		scratch[1] = '\0';
		return scratch;
	default:
		return NULL;
	}
}

/* The second key of a number that has a name as well. */
static void put_name(struct buf *b, const struct schema_field *f, int64_t v)
{
	char scratch[16];
	const char *name = render_json_name(f, v, scratch);

	if (!name)
		return;
	put_key(b, f->name, "_name");
	buf_putc(b, '"');
	buf_puts(b, name);
	buf_putc(b, '"');
}

static void put_numbers(struct buf *b, const struct render *r,
			const struct event *ev, const struct schema_field *f)
{
	unsigned i;

	if (f->count == 1) {
		put_number(b, r, f, field_s64(ev, f, 0));
		return;
	}
	buf_putc(b, '[');
	for (i = 0; i < f->count; i++) {
		if (i)
			buf_putc(b, ',');
		put_number(b, r, f, field_s64(ev, f, i));
	}
	buf_putc(b, ']');
}

void render_json_value(struct buf *b, const struct render *r,
		       const struct event *ev, const struct schema_field *f)
{
	if (f->type > FIELD_INT)
		put_string(b, ev, f);
	else if (f->meaning == MEANING_ARGS)
		args_json(b, ev, f);
	else
		put_numbers(b, r, ev, f);
}

static void put_member(struct buf *b, const struct render *r,
		       const struct event *ev, const struct schema_field *f)
{
	put_key(b, f->name, "");
	render_json_value(b, r, ev, f);
	if (f->type > FIELD_INT)
		put_full(b, ev, f);
	else if (f->meaning != MEANING_ARGS && f->count == 1)
		put_name(b, f, field_s64(ev, f, 0));
}

/* ---- the object ---------------------------------------------------------- */

static void put_marks(struct buf *b, unsigned flags)
{
	const char *name, *before = "[\"";

	put_key(b, "marks", "");
	while ((name = flag_name(flags)) != NULL) {
		buf_puts(b, before);
		buf_puts(b, name);
		flags &= flags - 1;
		before = "\",\"";
	}
	buf_puts(b, *before == '[' ? "[]" : "\"]");
}

static void put_head(struct buf *b, const struct render *r,
		     const struct event *ev)
{
	buf_puts(b, "{\"ts\":");
	buf_u64(b, ev->h->ts + (uint64_t)r->wall_offset);
	put_text(b, "source", ev->kind->source);
	put_text(b, "kind", ev->kind->name);
	put_key(b, "cpu", "");
	buf_u64(b, ev->h->cpu);
	put_key(b, "pid", "");
	buf_u64(b, ev->h->pid);
	put_key(b, "tid", "");
	buf_u64(b, ev->h->tid);
	put_text(b, "comm", ev->task ? ev->task->comm : NULL);
}

void render_json(struct buf *b, const struct render *r, const struct event *ev)
{
	unsigned i;

	put_head(b, r, ev);
	for (i = 0; i < ev->kind->field_count; i++)
		put_member(b, r, ev, &ev->kind->fields[i]);
	if (ev->h->flags & WEIR_F_MARKS)
		put_marks(b, ev->h->flags & WEIR_F_MARKS);
	if (WEIR_WEIGHT(ev->h->flags) > 1) {
		put_key(b, "weight", "");
		buf_u64(b, WEIR_WEIGHT(ev->h->flags));
	}
	buf_put(b, "}\n", 2);
}
