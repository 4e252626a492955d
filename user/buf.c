// SPDX-License-Identifier: BSD-2-Clause
#include "buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUF_MIN	    256
#define DECIMAL_MAX 20 /* digits of 2^64 - 1 */

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
				  "2021222324252627282930313233343536373839"
				  "4041424344454647484950515253545556575859"
				  "6061626364656667686970717273747576777879"
				  "8081828384858687888990919293949596979899";

void buf_done(struct buf *b)
{
	if (!b)
		return;
	free(b->data);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

int buf_err(const struct buf *b)
{
	return b->err;
}

void *buf_grow(struct buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : BUF_MIN;
	char *data;

	if (b->err || len > SIZE_MAX / 4 - b->len)
		goto fail;
	while (cap - b->len < len)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		goto fail;
	b->data = data;
	b->cap = cap;
	return data + b->len;
fail:
	b->err = -ENOMEM;
	return NULL;
}

/* Lay @v down so that it ends at @end. Return: where it begins. */
static char *decimal(char *end, uint64_t v)
{
	while (v >= 100) {
		end -= 2;
		memcpy(end, digit_pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v < 10) {
		*--end = (char)('0' + v);
		return end;
	}
	end -= 2;
	memcpy(end, digit_pairs + v * 2, 2);
	return end;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[DECIMAL_MAX], *end = digits + sizeof(digits);
	char *start = decimal(end, v);

	buf_put(b, start, (size_t)(end - start));
}

void buf_u64_width(struct buf *b, uint64_t v, unsigned width)
{
	char digits[DECIMAL_MAX], *end = digits + sizeof(digits);
	char *start = decimal(end, v);

	if (width > sizeof(digits))
		width = sizeof(digits);
	while (start > end - width)
		*--start = '0';
	buf_put(b, start, (size_t)(end - start));
}

void buf_s64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_putc(b, '-');
	buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_hex(struct buf *b, uint64_t v)
{
	char digits[18], *end = digits + sizeof(digits), *p = end;

	do {
		*--p = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	*--p = 'x';
	*--p = '0';
	buf_put(b, p, (size_t)(end - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : buf_space(b, (size_t)n + 1);
	if (!to)
		return;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_pad(struct buf *b, size_t line_start, size_t column)
{
	size_t i, chars = 0;

	/* a UTF-8 continuation byte is no character of its own */
	for (i = line_start; i < b->len; i++)
		chars += (b->data[i] & 0xc0) != 0x80;
	for (; chars < column; chars++)
		buf_putc(b, ' ');
}

int buf_flush(struct buf *b, int fd)
{
	size_t at = 0;
	int err = b->err;
	ssize_t n;

	while (!err && at < b->len) {
		n = write(fd, b->data + at, b->len - at);
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	buf_reset(b);
	return err;
}
