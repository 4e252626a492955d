// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "args.h"
#include "names.h"
#include "render.h"
#include "render_value.h"
#include "tasks.h"
#include "template.h"

static void put_task(struct buf *b, const struct render *r, uint64_t tid)
{
	const struct task *t = NULL;

	if (r->tasks && tid <= UINT32_MAX)
		t = tasks_find(r->tasks, (uint32_t)tid);
	if (!t) {
		buf_u64(b, tid);
		return;
	}
	render_escape(b, t->comm, strlen(t->comm));
	buf_putc(b, '[');
	buf_u64(b, tid);
	buf_putc(b, ']');
}

static void put_cgroup(struct buf *b, const struct render *r, uint64_t id)
{
	const struct cgroup *c = r->tasks ? tasks_cgroup(r->tasks, id) : NULL;

	if (c && *c->path)
		render_escape(b, c->path, strlen(c->path));
	else
		buf_u64(b, id);
}

/* As strace does: "3", "-1 ENOENT"; what cannot be a count is an address. */
static void put_ret(struct buf *b, int64_t v)
{
	const char *name = v < 0 && v >= -ERRNO_MAX ? errno_name((uint64_t)-v)
						    : NULL;

	if (name) {
		buf_puts(b, "-1 ");
		buf_puts(b, name);
	} else if (v > UINT32_MAX) {
		buf_hex(b, (uint64_t)v);
	} else {
		buf_s64(b, v);
	}
}

static void put_instant(struct buf *b, const struct render *r, uint64_t v)
{
	if (v)
		render_time(b, r, v);
	else
		buf_putc(b, '-');
}

static void put_number(struct buf *b, const struct render *r,
		       const struct schema_field *f, int64_t v)
{
	switch (f->meaning) {
	case MEANING_TIME:
		put_instant(b, r, (uint64_t)v);
		break;
	case MEANING_NS:
		render_ns(b, (uint64_t)v);
		break;
	case MEANING_BYTES:
		render_bytes(b, (uint64_t)v);
		break;
	case MEANING_PID:
	case MEANING_TID:
		put_task(b, r, (uint64_t)v);
		break;
	case MEANING_CGROUP:
		put_cgroup(b, r, (uint64_t)v);
		break;
	case MEANING_RET:
		put_ret(b, v);
		break;
	case MEANING_CPU:
		if (v == UINT32_MAX)
			buf_puts(b, "any");
		else
			buf_s64(b, v);
		break;
	default:
		if (f->type == FIELD_INT)
			buf_s64(b, v);
		else
			buf_u64(b, (uint64_t)v);
	}
}

/* In brackets when it is IPv6: a port may follow. */
static void put_ip(struct buf *b, const uint8_t *addr)
{
	bool v4 = ip_is_v4(addr);

	if (!v4)
		buf_putc(b, '[');
	render_ip(b, addr);
	if (!v4)
		buf_putc(b, ']');
}

void render_field(struct buf *b, const struct render *r, const struct event *ev,
		  const struct schema_field *f)
{
	unsigned i;

	if (f->meaning == MEANING_IP) {
		put_ip(b, field_bytes(ev, f).data);
		return;
	}
	if (f->type > FIELD_INT) {
		render_string(b, ev, f);
		return;
	}
	if (f->meaning == MEANING_ARGS) {
		args_text(b, ev, f);
		return;
	}
	for (i = 0; i < f->count; i++) {
		int64_t v = field_s64(ev, f, i);

		if (i)
			buf_putc(b, ',');
		if (!render_symbol(b, f, (uint64_t)v))
			put_number(b, r, f, v);
	}
}

/* ---- the line ------------------------------------------------------------ */

static bool bracket_is_empty(const struct event *ev, unsigned from, unsigned to)
{
	const struct template_part *p = ev->kind->parts;

	for (; from < to; from++)
		if (p[from].type == PART_FIELD &&
		    !field_is_empty(ev, p[from].field))
			return false;
	return true;
}

static void put_template(struct buf *b, const struct render *r,
			 const struct event *ev)
{
	const struct schema_kind *k = ev->kind;
	unsigned i = 0;

	while (i < k->part_count) {
		const struct template_part *p = &k->parts[i++];

		if (p->type == PART_TEXT)
			buf_put(b, p->text, p->len);
		else if (p->type == PART_FIELD)
			render_field(b, r, ev, p->field);
		else if (p->type == PART_OPEN &&
			 bracket_is_empty(ev, i, p->close))
			i = p->close;
	}
}

static void put_pairs(struct buf *b, const struct render *r,
		      const struct event *ev)
{
	unsigned i;

	for (i = 0; i < ev->kind->field_count; i++) {
		const struct schema_field *f = &ev->kind->fields[i];

		if (i)
			buf_putc(b, ' ');
		buf_puts(b, f->name);
		buf_putc(b, '=');
		render_field(b, r, ev, f);
	}
}

static void put_who(struct buf *b, const struct event *ev)
{
	if (ev->task)
		render_escape(b, ev->task->comm, strlen(ev->task->comm));
	buf_putc(b, '[');
	buf_u64(b, ev->h->pid);
	if (ev->h->tid != ev->h->pid) {
		buf_putc(b, '/');
		buf_u64(b, ev->h->tid);
	}
	buf_putc(b, ']');
}

static void put_flags(struct buf *b, unsigned flags)
{
	const char *name, *before = " (";

	/* context is what the reader asked for, and nothing to worry about */
	flags &= WEIR_F_MARKS & ~(unsigned)WEIR_F_CONTEXT;
	while ((name = flag_name(flags)) != NULL) {
		buf_puts(b, before);
		buf_puts(b, name);
		flags &= flags - 1;
		before = ", ";
	}
	if (*before == ',')
		buf_putc(b, ')');
}

void render_text(struct buf *b, const struct render *r, const struct event *ev)
{
	render_time(b, r, ev->h->ts);
	buf_put(b, " cpu", 4);
	buf_u64(b, ev->h->cpu);
	buf_putc(b, ' ');
	put_who(b, ev);
	buf_putc(b, ' ');
	buf_puts(b, ev->kind->name);
	if (ev->kind->field_count)
		buf_putc(b, ' ');
	if (ev->kind->part_count)
		put_template(b, r, ev);
	else
		put_pairs(b, r, ev);
	if (ev->h->flags)
		put_flags(b, ev->h->flags);
	if (WEIR_WEIGHT(ev->h->flags) > 1)
		buf_printf(b, " (one of %llu)", WEIR_WEIGHT(ev->h->flags));
	buf_putc(b, '\n');
}

int render_check_text(const struct schema_kind *k, const char **ret_name)
{
	return template_check(k, ret_name);
}
