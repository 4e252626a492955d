// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "render.h"
#include "render_value.h"
#include "utf8.h"

#define HEX "0123456789abcdef"

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

#define EACH(byte) ((byte)*0x0101010101010101ULL)

/* For each byte of @v that is 0: its top bit; exact up to the first one. */
static uint64_t zero_bytes(uint64_t v)
{
	return (v - EACH(0x01)) & ~v & EACH(0x80);
}

/* 0 when all eight bytes are plain. */
static uint64_t special_bytes(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return (v & EACH(0x80)) | /* from 0x80 on */
	       ((((v | EACH(0x80)) - EACH(0x20)) & EACH(0x80)) ^ EACH(0x80)) |
	       zero_bytes(v ^ EACH(0x7f)) | zero_bytes(v ^ EACH('\\')) |
	       zero_bytes(v ^ EACH('"'));
}

/* Length of the run of ASCII that neither text nor JSON needs to escape. */
static size_t plain_run(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n + 8 <= len && !special_bytes(p + n))
		n += 8;
	while (n < len && is_plain(p[n]))
		n++;
	return n;
}

static void put_hex_bytes(struct buf *b, const uint8_t *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		char esc[] = {'\\', 'x', HEX[p[i] >> 4], HEX[p[i] & 15]};

		buf_put(b, esc, sizeof(esc));
	}
}

/* Append the character at @p. Return: how many bytes it has. */
static unsigned escape_one(struct buf *b, const uint8_t *p, size_t len)
{
	uint32_t cp;
	unsigned n = utf8_next(p, len, &cp);

	if (!n || !utf8_is_drawn(cp))
		put_hex_bytes(b, p, n ? n : 1);
	else if (cp == '\\')
		buf_put(b, "\\\\", 2);
	else
		buf_put(b, p, n);
	return n ? n : 1;
}

/* Append plain runs as they are, and the others' first character by @one. */
static void put_escaped(struct buf *b, const uint8_t *p, size_t len,
			unsigned (*one)(struct buf *, const uint8_t *, size_t))
{
	size_t n;

	while (len) {
		n = plain_run(p, len);
		if (n)
			buf_put(b, p, n);
		else
			n = one(b, p, len);
		p += n;
		len -= n;
	}
}

void render_escape(struct buf *b, const void *data, size_t len)
{
	put_escaped(b, data, len, escape_one);
}

void render_quoted(struct buf *b, const void *data, size_t len, char quote)
{
	const uint8_t *p = data, *q;

	buf_putc(b, quote);
	while ((q = len ? memchr(p, quote, len) : NULL) != NULL) {
		render_escape(b, p, (size_t)(q - p));
		buf_putc(b, '\\');
		buf_putc(b, quote);
		len -= (size_t)(q + 1 - p);
		p = q + 1;
	}
	render_escape(b, p, len);
	buf_putc(b, quote);
}

static void put_u16(struct buf *b, uint32_t unit)
{
	char esc[] = {'\\',
		      'u',
		      HEX[unit >> 12 & 15],
		      HEX[unit >> 8 & 15],
		      HEX[unit >> 4 & 15],
		      HEX[unit & 15]};

	buf_put(b, esc, sizeof(esc));
}

/* What JSON writes as a backslash and a letter, or 0. */
static char short_escape(uint32_t cp)
{
	switch (cp) {
	case '"':
	case '\\':
		return (char)cp;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static unsigned json_one(struct buf *b, const uint8_t *p, size_t len)
{
	uint32_t cp;
	unsigned n = utf8_next(p, len, &cp);
	char letter = n ? short_escape(cp) : 0;

	if (!n) {
		put_u16(b, 0xdc00 | p[0]); /* PEP 383 */
		return 1;
	}
	if (letter) {
		buf_putc(b, '\\');
		buf_putc(b, letter);
	} else if (!utf8_is_drawn(cp)) {
		put_u16(b, cp); /* all of these are below 0x10000 */
	} else {
		buf_put(b, p, n);
	}
	return n;
}

void render_json_string(struct buf *b, const void *data, size_t len)
{
	buf_putc(b, '"');
	put_escaped(b, data, len, json_one);
	buf_putc(b, '"');
}
