// SPDX-License-Identifier: BSD-2-Clause
#include "columns_chunk.h"

#include <errno.h>
#include <lz4.h>
#include <string.h>
#include <zstd.h>

#include "columns_code.h"

#define ZSTD_LEVEL 1   /* higher ones buy 1 % for a third of the speed */
#define ZSTD_MATCH 6   /* shorter ones are mostly chance */
#define PACK_MIN   32  /* fewer bytes are not worth a try */
#define ZSTD_MIN   512 /* fewer are packed by lz4 */
#define CODEC_BITS 3
#define CODEC_MASK 7
#define HEADER_MAX 10

int packer_init(struct packer *p)
{
	*p = (struct packer){0};
	p->zstd = ZSTD_createCCtx();
	p->unzstd = ZSTD_createDCtx();
	p->lz4 = LZ4_createStream();
	if (!p->zstd || !p->unzstd || !p->lz4)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_minMatch, ZSTD_MATCH);
	return 0;
}

void packer_done(struct packer *p)
{
	ZSTD_freeCCtx(p->zstd);
	ZSTD_freeDCtx(p->unzstd);
	LZ4_freeStream(p->lz4);
	buf_done(&p->log);
	buf_done(&p->bytes);
	buf_done(&p->words);
	buf_done(&p->table);
	buf_done(&p->signs);
	buf_done(&p->dict);
	buf_done(&p->within);
	*p = (struct packer){0};
}

/* ---- numbers ---------------------------------------------------------------
 */

void put_varint(struct buf *to, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)v | 0x80;
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	buf_put(to, bytes, n);
}

uint64_t get_varint(struct cursor *c, bool *bad)
{
	unsigned shift = 0;
	uint64_t v = 0;

	while (c->at < c->end && shift < 64) {
		uint8_t byte = *c->at++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
		shift += 7;
	}
	*bad = true;
	return 0;
}

/* ---- chunks ----------------------------------------------------------------
 */

static bool is_same(const uint8_t *p, size_t len)
{
	return !memcmp(p, p + 1, len - 1);
}

/*
 * As a chain of one block: so its table is not cleared each time, which for
 * many short chunks costs more than to pack them. Given less room than it may
 * need the stream would be left in no state to be used again.
 */
static size_t compress_lz4(struct packer *p, void *dst, const void *data,
			   size_t len)
{
	int rc;

	LZ4_resetStream_fast(p->lz4);
	rc = LZ4_compress_fast_continue(p->lz4, data, dst, (int)len,
					LZ4_COMPRESSBOUND((int)len), 1);
	return rc > 0 && (size_t)rc < len ? (size_t)rc : 0;
}

/* To begin and end a frame of zstd costs more than to pack few bytes. */
static bool is_lz4(const struct packer *p, size_t len)
{
	return p->hurry || len < ZSTD_MIN;
}

/* Return: bytes at @dst, or 0 when they are not fewer than @len. */
static size_t compress(struct packer *p, void *dst, const void *data,
		       size_t len)
{
	size_t n;

	if (is_lz4(p, len))
		return compress_lz4(p, dst, data, len);
	n = ZSTD_compress2(p->zstd, dst, len - 1, data, len);
	return ZSTD_isError(n) ? 0 : n;
}

static void put_bytes(struct buf *to, const void *data, size_t len,
		      enum chunk_codec codec)
{
	put_varint(to, (uint64_t)len << CODEC_BITS | codec);
	buf_put(to, data, len);
}

/* Put what was made behind the longest header there is. */
static void put_made(struct buf *to, const uint8_t *made, size_t n,
		     enum chunk_codec codec)
{
	put_varint(to, (uint64_t)n << CODEC_BITS | codec);
	memmove(to->data + to->len, made, n);
	to->len += n;
}

void chunk_put(struct packer *p, const void *data, size_t len, struct buf *to)
{
	uint8_t *dst;
	size_t n;

	if (len && is_same(data, len)) {
		put_bytes(to, data, 1, CHUNK_SAME);
		return;
	}
	if (len < PACK_MIN || len > LZ4_MAX_INPUT_SIZE) {
		put_bytes(to, data, len, CHUNK_STORED);
		return;
	}
	dst = buf_space(to, (size_t)LZ4_COMPRESSBOUND((int)len) + HEADER_MAX);
	if (!dst)
		return;
	n = compress(p, dst + HEADER_MAX, data, len);
	if (n)
		put_made(to, dst + HEADER_MAX, n,
			 is_lz4(p, len) ? CHUNK_LZ4 : CHUNK_ZSTD);
	else
		put_bytes(to, data, len, CHUNK_STORED);
}

void chunk_put_noise(const void *data, size_t len, struct buf *to)
{
	uint8_t *dst;
	size_t n;

	if (len && is_same(data, len)) {
		put_bytes(to, data, 1, CHUNK_SAME);
		return;
	}
	if (len < CODE_MIN || len > CODE_MAX) {
		put_bytes(to, data, len, CHUNK_STORED);
		return;
	}
	dst = buf_space(to, HEADER_MAX + len + CODE_SLACK);
	if (!dst)
		return;
	n = code_put(data, len, dst + HEADER_MAX);
	if (n)
		put_made(to, dst + HEADER_MAX, n, CHUNK_CODE);
	else
		put_bytes(to, data, len, CHUNK_STORED);
}

static int expand(struct packer *p, enum chunk_codec codec, const void *data,
		  size_t n, void *to, size_t len)
{
	size_t got;
	int rc;

	if (codec == CHUNK_ZSTD) {
		got = ZSTD_decompressDCtx(p->unzstd, to, len, data, n);
		return ZSTD_isError(got) || got != len ? -EBADMSG : 0;
	}
	if (n > INT32_MAX || len > INT32_MAX)
		return -EBADMSG;
	rc = LZ4_decompress_safe(data, to, (int)n, (int)len);
	return rc < 0 || (size_t)rc != len ? -EBADMSG : 0;
}

int chunk_get(struct packer *p, struct cursor *c, void *to, size_t len)
{
	const uint8_t *data;
	bool bad = false;
	uint64_t head = get_varint(c, &bad), n = head >> CODEC_BITS;

	if (bad || n > (size_t)(c->end - c->at))
		return -EBADMSG;
	data = c->at;
	c->at += n;
	switch ((enum chunk_codec)(head & CODEC_MASK)) {
	case CHUNK_SAME:
		if (n != 1)
			return -EBADMSG;
		memset(to, *data, len);
		return 0;
	case CHUNK_STORED:
		if (n != len)
			return -EBADMSG;
		memcpy(to, data, len);
		return 0;
	case CHUNK_ZSTD:
	case CHUNK_LZ4:
		return expand(p, head & CODEC_MASK, data, n, to, len);
	case CHUNK_CODE:
		return code_get(data, n, to, len);
	default:
		return -EPROTONOSUPPORT;
	}
}
