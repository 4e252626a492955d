/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render_value.h - single values, as render_text.c, render_json.c,
 * render_csv.c and args.c show them alike. Not for use elsewhere.
 */
#ifndef WEIR_RENDER_VALUE_H
#define WEIR_RENDER_VALUE_H

#include "render.h"

/** render_quoted - escaped as text, in @quote; @quote inside gets a \. */
void render_quoted(struct buf *b, const void *data, size_t len, char quote);

/**
 * render_cut - "...(4096 of 131072)" when the string was cut; "...(4095 of
 * more)" where it may be that nobody counted the rest (struct weir_str).
 */
void render_cut(struct buf *b, const struct field_bytes *s);

/**
 * render_ip - an IPv6 address in the canonical form of RFC 5952, section 4, or
 * dotted IPv4 when it is a mapped one (::ffff:0:0/96, RFC 4291, 2.5.5.2)
 * @addr: in network byte order
 */
void render_ip(struct buf *b, const uint8_t addr[16]);

/** ip_is_v4 - is it an IPv4 address, mapped? */
bool ip_is_v4(const uint8_t addr[16]);

/**
 * render_words - the words of an argv, quoted as bash reads them back
 * @words: a NUL between them; one at the end is none
 *
 * Those with escapes are in $'…', where a \ means the same to bash. A blank
 * between; behind the last what render_cut() says.
 */
void render_words(struct buf *b, const struct field_bytes *words);

/**
 * render_symbol - what stands for a number everywhere: names of enums, errors,
 * signals and states, hexadecimal digits, major:minor (of the kernel's dev_t:
 * 20 bits of minor, include/linux/kdev_t.h)
 *
 * A number that its enum has no name for is the enum's name and it:
 * block_op_17.
 * Return: false, and nothing appended, when the number stands for itself.
 */
bool render_symbol(struct buf *b, const struct schema_field *f, uint64_t v);

/**
 * render_string - FIELD_CHARS, FIELD_BYTES or FIELD_STR as text
 *
 * Not quoted. FIELD_BYTES is hexadecimal digits, but for an address; what could
 * not be read is a ?.
 */
void render_string(struct buf *b, const struct event *ev,
		   const struct schema_field *f);

/** flag_name - Return: name of the lowest of WEIR_F_* in @flags; NULL: none. */
const char *flag_name(unsigned flags);

#endif
