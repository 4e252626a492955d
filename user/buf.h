/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf.h - a growable byte buffer that text, JSON and frames are built in.
 *
 * Writing never fails to the caller: when memory runs out the buffer latches
 * -ENOMEM in @err, later writes do nothing, and who hands the bytes on checks
 * buf_err() once. Not thread-safe; one owner.
 */
#ifndef WEIR_BUF_H
#define WEIR_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *data; /* owned; NULL while empty; no NUL at the end */
	size_t len;
	size_t cap;
	int err; /* 0 or -ENOMEM, latched */
};

/** buf_done - free the memory; @b is empty and usable again. NULL-safe. */
void buf_done(struct buf *b);

/** buf_reset - forget the content, keep the memory and clear the error. */
void buf_reset(struct buf *b);

/** buf_err - Return: 0; -ENOMEM some write was dropped. */
int buf_err(const struct buf *b);

/**
 * buf_grow - what buf_space() does when there is too little room
 *
 * The capacity doubles, from 256 bytes on. @data may move.
 */
void *buf_grow(struct buf *b, size_t len);

/**
 * buf_space - make room for @len more bytes
 *
 * Return: where they go (the caller fills them and adds to @b->len), or NULL
 * with the error latched. Valid until the next call on @b.
 */
static inline void *buf_space(struct buf *b, size_t len)
{
	if (b->data && !b->err && b->cap - b->len >= len)
		return b->data + b->len;
	return buf_grow(b, len);
}

/** buf_put - append @len bytes; @data may be NULL when there are none. */
static inline void buf_put(struct buf *b, const void *data, size_t len)
{
	void *to = buf_space(b, len);

	if (!to || !len)
		return;
	memcpy(to, data, len);
	b->len += len;
}

/** buf_putc - append one byte, a NUL too. */
static inline void buf_putc(struct buf *b, char c)
{
	char *to = buf_space(b, 1);

	if (!to)
		return;
	*to = c;
	b->len++;
}

/** buf_puts - append a string without its NUL. */
static inline void buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

/**
 * buf_u64, buf_u64_width, buf_s64, buf_hex - append a number
 * @width: zeros before it up to so many digits (at most 20)
 */
void buf_u64(struct buf *b, uint64_t v); /* decimal */
void buf_u64_width(struct buf *b, uint64_t v, unsigned width);
void buf_s64(struct buf *b, int64_t v);	 /* decimal */
void buf_hex(struct buf *b, uint64_t v); /* 0x…, no leading zeros */

/** buf_printf - append what printf(3) would make, without its NUL. */
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * buf_pad - append blanks until the line is @column characters long
 * @line_start: index of its first byte; UTF-8 is counted by characters
 */
void buf_pad(struct buf *b, size_t line_start, size_t column);

/**
 * buf_flush - write all of it to @fd and reset
 *
 * Blocks; goes on after short writes and EINTR. The memory is kept.
 * Return: 0; -errno of write(2), the rest of the content is dropped then;
 * -ENOMEM latched earlier.
 */
int buf_flush(struct buf *b, int fd);

#endif
