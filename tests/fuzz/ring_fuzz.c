// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_fuzz.c - a shared ring that the other side has written over: who
 * attaches is refused, or reads and writes nothing but what is in it.
 *
 * The input: a byte of flags, then patches of 10 bytes: where (in words of 8
 * bytes, 16 bits), and what stands there. Reads are checked by ASan, since
 * every record is copied.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../ring/ring.h"
#include "../unit/model_schema.h"

#define RING_BYTES 4096
#define RECORDS	   16	/* that are in it before */
#define ROUNDS	   4096 /* reads at most; more is a loop without end */
#define PATCH	   10

enum flags {
	OVERWRITE = 1, /* the ring's mode */
	LATER = 2,     /* written over when the peer has attached */
};

struct subject {
	int fd;
	uint8_t *base;
	size_t len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(int fd)
{
	static const char text[64] = "a record";
	struct ring_producer *p;
	unsigned i;

	model_must(!ring_attach_producer(&p, fd), "a fresh ring");
	for (i = 0; i < RECORDS; i++)
		ring_write(p, (uint16_t)i, text, 1 + i * 3);
	ring_producer_close(p);
}

static struct subject begin(unsigned flags)
{
	struct subject s;
	struct stat st;

	model_must(!ring_create(&s.fd, RING_BYTES,
				flags & OVERWRITE ? RING_OVERWRITE : 0),
		   "ring_create");
	fill(s.fd);
	model_must(!fstat(s.fd, &st), "fstat");
	s.len = (size_t)st.st_size;
	s.base = mmap(NULL, s.len, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	model_must(s.base != MAP_FAILED, "mmap");
	return s;
}

static void patch(const struct subject *s, const uint8_t *data, size_t size)
{
	uint16_t word;

	for (; size >= PATCH; data += PATCH, size -= PATCH) {
		memcpy(&word, data, sizeof(word));
		memcpy(s->base + word * 8U % s->len, data + 2, 8);
	}
}

static void touch(const void *data, size_t len)
{
	void *copy = malloc(len + 1);

	memcpy(copy, data, len);
	free(copy);
}

static void consume(struct ring_consumer *c)
{
	struct ring_record r;
	struct ring_stats stats;
	unsigned i;

	for (i = 0; ring_peek(c, &r) == RING_OK; i++) {
		model_must(r.len <= RING_BYTES, "longer than the ring");
		model_must(i < ROUNDS, "it never ends");
		touch(r.data, r.len);
		ring_next(c);
	}
	ring_poll(c, 1);
	ring_consumer_stats(c, &stats);
}

static void produce(struct ring_producer *p)
{
	static const char text[RECORDS * 4 * 5];
	struct ring_stats stats;
	unsigned i;

	for (i = 0; i < RECORDS * 4; i++)
		ring_write(p, 1, text, i * 5);
	ring_producer_stats(p, &stats);
}

static void walk(const uint8_t *copy, const struct ring_snapshot_info *info)
{
	struct ring_record r;
	size_t off = 0;

	model_must(info->end - info->first <= RING_BYTES, "more than there is");
	while (ring_parse(copy, info->end - info->first, &off, &r) == RING_OK)
		touch(r.data, r.len);
}

static void observe(const struct ring_observer *o)
{
	static uint8_t copy[RING_BYTES];
	struct ring_snapshot_info info = {0};
	unsigned i;

	if (ring_snapshot(o, copy, sizeof(copy), &info) == RING_OK)
		walk(copy, &info);
	info.end = 0;
	for (i = 0; ring_snapshot_from(o, info.end, copy, sizeof(copy),
				       &info) == RING_OK;
	     i++) {
		model_must(i < ROUNDS, "it never ends");
		walk(copy, &info);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned flags = size ? data[0] : 0;
	struct subject s = begin(flags);
	struct ring_consumer *c = NULL;
	struct ring_producer *p = NULL;
	struct ring_observer *o = NULL;

	if (size && !(flags & LATER))
		patch(&s, data + 1, size - 1);
	ring_attach_consumer(&c, s.fd);
	ring_attach_observer(&o, s.fd);
	ring_attach_producer(&p, s.fd);
	if (size && flags & LATER)
		patch(&s, data + 1, size - 1);
	if (c)
		consume(c);
	if (p)
		produce(p);
	if (c)
		consume(c);
	if (o)
		observe(o);
	ring_consumer_close(c);
	ring_producer_close(p);
	ring_observer_close(o);
	munmap(s.base, s.len);
	close(s.fd);
	return 0;
}
