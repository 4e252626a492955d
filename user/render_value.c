// SPDX-License-Identifier: BSD-2-Clause
#include "render_value.h"

#include <string.h>

#include "names.h"

#define IP_GROUPS      8
#define DEV_MINOR_BITS 20
#define DEV_MINOR_MASK 0xfffff

static const struct {
	unsigned bit;
	const char *name;
} flag_names[] = {
	{WEIR_F_LATE, "late"},	     {WEIR_F_CONTEXT, "context"},
	{WEIR_F_PARTIAL, "partial"}, {WEIR_F_URING, "io_uring"},
	{WEIR_F_STALLED, "stalled"},
};

const char *flag_name(unsigned flags)
{
	size_t i;

	for (i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
		if (flags & flag_names[i].bit)
			return flag_names[i].name;
	return NULL;
}

/* ---- addresses ----------------------------------------------------------- */

static void put_hex16(struct buf *b, unsigned v)
{
	char digits[4], *end = digits + sizeof(digits), *p = end;

	do {
		*--p = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	buf_put(b, p, (size_t)(end - p));
}

static void put_ipv4(struct buf *b, const uint8_t *a)
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (i)
			buf_putc(b, '.');
		buf_u64(b, a[i]);
	}
}

/* The longest run of two or more zero groups, the first if there are more. */
static unsigned zero_run(const unsigned *group, unsigned *ret_start)
{
	unsigned i, j, best = 1;

	for (i = 0; i < IP_GROUPS; i++) {
		for (j = i; j < IP_GROUPS && !group[j]; j++)
			;
		if (j - i > best) {
			best = j - i;
			*ret_start = i;
		}
	}
	return best > 1 ? best : 0;
}

bool ip_is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, mapped, sizeof(mapped));
}

void render_ip(struct buf *b, const uint8_t addr[16])
{
	unsigned group[IP_GROUPS], i, start = IP_GROUPS, run;

	if (ip_is_v4(addr)) {
		put_ipv4(b, addr + 12);
		return;
	}
	for (i = 0; i < IP_GROUPS; i++)
		group[i] = (unsigned)addr[2 * i] << 8 | addr[2 * i + 1];
	run = zero_run(group, &start);
	for (i = 0; i < IP_GROUPS; i++) {
		if (run && i == start) {
			buf_put(b, "::", 2);
			i += run - 1;
			continue;
		}
		if (i && !(run && i == start + run))
			buf_putc(b, ':');
		put_hex16(b, group[i]);
	}
}

/* ---- strings ------------------------------------------------------------- */

void render_cut(struct buf *b, const struct field_bytes *s)
{
	if (s->full == WEIR_STR_UNKNOWN || s->full <= s->len)
		return;
	buf_puts(b, "...(");
	buf_u64(b, s->len);
	buf_puts(b, " of ");
	if (s->full == s->len + 1U)
		buf_puts(b, "more");
	else
		buf_u64(b, s->full);
	buf_putc(b, ')');
}

/* What bash takes for one word, and for itself, without quotes. */
static bool is_bare(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("_@%+=:,./-", c));
}

static void put_word(struct buf *b, const uint8_t *p, size_t len)
{
	size_t bare = 0, start = b->len;

	while (bare < len && is_bare(p[bare]))
		bare++;
	if (len && bare == len) {
		buf_put(b, p, len);
		return;
	}
	/* $'…' is the form in which a \ means what it means in our escapes */
	buf_putc(b, '$');
	render_quoted(b, p, len, '\'');
	if (!b->err && !memchr(b->data + start, '\\', b->len - start)) {
		b->len--;
		memmove(b->data + start, b->data + start + 1, b->len - start);
	}
}

void render_words(struct buf *b, const struct field_bytes *words)
{
	const uint8_t *p = words->data, *end = p + words->len, *nul;
	bool first = true;

	while (p < end) {
		nul = memchr(p, '\0', (size_t)(end - p));
		if (!first)
			buf_putc(b, ' ');
		put_word(b, p, (size_t)((nul ? nul : end) - p));
		p = nul ? nul + 1 : end;
		first = false;
	}
	render_cut(b, words);
}

static void put_bytes(struct buf *b, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		buf_putc(b, "0123456789abcdef"[p[i] >> 4]);
		buf_putc(b, "0123456789abcdef"[p[i] & 15]);
	}
}

void render_string(struct buf *b, const struct event *ev,
		   const struct schema_field *f)
{
	struct field_bytes s = field_bytes(ev, f);

	if (s.full == WEIR_STR_UNKNOWN) {
		buf_putc(b, '?');
	} else if (f->meaning == MEANING_IP) {
		render_ip(b, s.data);
	} else if (f->meaning == MEANING_ARGV) {
		render_words(b, &s);
	} else if (f->type == FIELD_BYTES) {
		put_bytes(b, s.data, s.len);
	} else {
		render_escape(b, s.data, s.len);
		render_cut(b, &s);
	}
}

/* ---- numbers ------------------------------------------------------------- */

/* A number that its enum has no name for: block_op_17. */
static void put_nameless(struct buf *b, const struct schema_enum *e, int64_t v)
{
	buf_puts(b, !strncmp(e->name, "weir_", 5) ? e->name + 5 : e->name);
	buf_putc(b, '_');
	buf_s64(b, v);
}

static bool put_name(struct buf *b, const char *name)
{
	if (!name)
		return false;
	buf_puts(b, name);
	return true;
}

bool render_symbol(struct buf *b, const struct schema_field *f, uint64_t v)
{
	char scratch[16];

	if (f->names) {
		if (!put_name(b, enum_name(f->names, (int64_t)v)))
			put_nameless(b, f->names, (int64_t)v);
		return true;
	}
	switch (f->meaning) {
	case MEANING_ERRNO:
		return put_name(b, errno_name(v));
	case MEANING_SIGNAL:
		return put_name(b, signal_name((int64_t)v, scratch));
	case MEANING_STATE:
		buf_putc(b, state_letter(v));
		return true;
	case MEANING_HEX:
		buf_hex(b, v);
		return true;
	case MEANING_DEV:
		buf_u64(b, v >> DEV_MINOR_BITS);
		buf_putc(b, ':');
		buf_u64(b, v & DEV_MINOR_MASK);
		return true;
	default:
		return false;
	}
}
