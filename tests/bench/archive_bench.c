// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_bench.c - how small and how fast blocks are, on events of an archive
 *
 *	archive_bench ARCHIVE [-b BYTES] [-n EVENTS] [-r ROUNDS] [-s]
 *
 * Events are collected into blocks as the recorder does (BYTES of rows, 64 Ki
 * events, 1 s), then each block is encoded and decoded by every way in turn,
 * and each result compared with the rows to the byte. Times are CPU time of
 * this thread, the best of ROUNDS (3). -s: bytes by what they hold.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "../../user/archive.h"
#include "../../user/block.h"
#include "../../user/columns.h"

#define BLOCK_NS   1000000000ULL
#define BLOCKS_MAX 65536

struct options {
	size_t block_bytes;
	uint64_t events;
	unsigned rounds;
	bool streams;
};

struct bench {
	struct options o;
	struct buf *block; /* rows of each */
	uint32_t *count;
	size_t blocks;
	uint64_t events, raw, first_ns;
	struct schema *schema;
	struct columns *columns;
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
};

struct way {
	const char *name;
	int (*encode)(struct bench *b, const struct buf *rows, struct buf *to);
	int (*decode)(struct bench *b, const struct buf *from, size_t len,
		      struct buf *rows);
	uint64_t bytes, encode_ns, decode_ns;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "archive_bench: %s: %s\n", what, strerror(-err));
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * BLOCK_NS + (uint64_t)ts.tv_nsec;
}

/* ---- events into blocks -------------------------------------------------- */

static int collect(void *arg, struct event *ev)
{
	static const char zeros[8];
	struct bench *b = arg;
	struct buf *rows = &b->block[b->blocks];

	if (ev->h->flags & WEIR_F_CONTEXT)
		return 0;
	if (b->count[b->blocks] >= BLOCK_EVENTS ||
	    rows->len >= b->o.block_bytes ||
	    (b->count[b->blocks] && ev->h->ts - b->first_ns > BLOCK_NS)) {
		if (++b->blocks == BLOCKS_MAX)
			return 1;
		rows++;
	}
	if (!b->count[b->blocks]++)
		b->first_ns = ev->h->ts;
	buf_put(rows, ev->h, ev->len);
	buf_put(rows, zeros, -ev->len & 7);
	b->raw += ev->len;
	return ++b->events == b->o.events;
}

static void load(struct bench *b, char *path)
{
	struct archive_range all = {0};
	struct buf schema = {0};
	char *paths[] = {path};
	const char *why = path;
	struct archive *a;
	int err;

	err = archive_open(&a, paths, 1, &why);
	if (err)
		die(why, err);
	b->block = calloc(BLOCKS_MAX, sizeof(*b->block));
	b->count = calloc(BLOCKS_MAX, sizeof(*b->count));
	if (!b->block || !b->count)
		die("blocks", -ENOMEM);
	archive_each(a, &all, collect, b);
	b->blocks += b->blocks < BLOCKS_MAX && b->count[b->blocks];
	schema_encode(archive_schema(a), &schema);
	err = schema_decode(&b->schema, schema.data, schema.len);
	if (err)
		die("schema", err);
	buf_done(&schema);
	archive_free(a);
}

/* ---- ways ---------------------------------------------------------------- */

static int rows_encode(struct bench *b, const struct buf *rows, struct buf *to)
{
	size_t room = ZSTD_compressBound(rows->len), n;
	void *dst = buf_space(to, room);

	if (!dst)
		return -ENOMEM;
	n = ZSTD_compressCCtx(b->pack, dst, room, rows->data, rows->len, 1);
	if (ZSTD_isError(n))
		return -ENOMEM;
	to->len += n;
	return 0;
}

static int rows_decode(struct bench *b, const struct buf *from, size_t len,
		       struct buf *rows)
{
	void *dst;

	buf_reset(rows);
	dst = buf_space(rows, len);
	if (!dst)
		return -ENOMEM;
	rows->len = ZSTD_decompressDCtx(b->unpack, dst, len, from->data,
					from->len);
	return rows->len == len ? 0 : -EBADMSG;
}

static int columns_zstd(struct bench *b, const struct buf *rows, struct buf *to)
{
	return columns_encode(b->columns, rows, false, to);
}

static int columns_lz4(struct bench *b, const struct buf *rows, struct buf *to)
{
	return columns_encode(b->columns, rows, true, to);
}

static int columns_rows_back(struct bench *b, const struct buf *from,
			     size_t len, struct buf *rows)
{
	int err = columns_open(b->columns, from->data, from->len);

	return err ? err : columns_decode(b->columns, rows, len);
}

static struct way ways[] = {
	{.name = "rows, zstd-1", .encode = rows_encode, .decode = rows_decode},
	{.name = "columns, zstd-1",
	 .encode = columns_zstd,
	 .decode = columns_rows_back},
	{.name = "columns, lz4",
	 .encode = columns_lz4,
	 .decode = columns_rows_back},
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static void least(uint64_t *best, uint64_t ns)
{
	if (!*best || ns < *best)
		*best = ns;
}

/* All blocks one way, there and back. */
static void go(struct bench *b, struct way *w)
{
	uint64_t encode_ns = 0, decode_ns = 0, start;
	struct buf packed = {0}, rows = {0};
	size_t i;
	int err;

	w->bytes = 0;
	for (i = 0; i < b->blocks; i++) {
		buf_reset(&packed);
		start = cpu_ns();
		err = w->encode(b, &b->block[i], &packed);
		encode_ns += cpu_ns() - start;
		if (err)
			die(w->name, err);
		start = cpu_ns();
		err = w->decode(b, &packed, b->block[i].len, &rows);
		decode_ns += cpu_ns() - start;
		if (err)
			die(w->name, err);
		if (rows.len != b->block[i].len ||
		    memcmp(rows.data, b->block[i].data, rows.len))
			die("not the same rows", -EBADMSG);
		w->bytes += packed.len;
	}
	least(&w->encode_ns, encode_ns);
	least(&w->decode_ns, decode_ns);
	buf_done(&packed);
	buf_done(&rows);
}

static void say(const struct bench *b)
{
	double n = (double)b->events;
	size_t i;

	printf("%zu blocks, %.0f events, %.1f bytes each as records\n",
	       b->blocks, n, (double)b->raw / n);
	printf("%-16s %12s %14s %14s\n", "", "bytes/event", "encode M/s",
	       "decode M/s");
	for (i = 0; i < WAYS; i++)
		printf("%-16s %12.3f %14.2f %14.2f\n", ways[i].name,
		       (double)ways[i].bytes / n,
		       n * 1e3 / (double)ways[i].encode_ns,
		       n * 1e3 / (double)ways[i].decode_ns);
}

/* ---- what the bytes are -------------------------------------------------- */

struct sum {
	char name[96];
	uint64_t bytes;
	char how[64]; /* of the largest stream */
	uint64_t largest;
};

static void name_of(const struct bench *b, const struct columns_stream *s,
		    char name[96])
{
	const struct schema_kind *k = schema_kind(b->schema, s->kind);

	if (!k)
		snprintf(name, 96, "%s %s", s->kind ? "?" : "", s->what);
	else if (s->field < 0)
		snprintf(name, 96, "%s %s", k->name, s->what);
	else
		snprintf(name, 96, "%s.%s[%d] %s", k->name,
			 k->fields[s->field].name, s->element, s->what);
}

static void add_stream(struct sum *sums, size_t *count,
		       const struct columns_stream *s, const char *name)
{
	size_t i = 0;

	while (i < *count && strcmp(sums[i].name, name))
		i++;
	if (i == *count)
		snprintf(sums[(*count)++].name, 96, "%s", name);
	sums[i].bytes += s->bytes;
	if (s->bytes <= sums[i].largest)
		return;
	sums[i].largest = s->bytes;
	snprintf(sums[i].how, sizeof(sums[i].how), "%s %s", s->predictor,
		 s->form);
}

static int by_bytes(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static void say_streams(struct bench *b)
{
	struct sum *sums = calloc(4096, sizeof(*sums));
	struct columns_stream s;
	struct buf packed = {0};
	uint64_t all = 0, in = 0;
	size_t i, count = 0;
	char name[96];
	uint32_t k;

	if (!sums)
		die("streams", -ENOMEM);
	for (i = 0; i < b->blocks; i++) {
		buf_reset(&packed);
		if (columns_encode(b->columns, &b->block[i], false, &packed))
			die("streams", -EBADMSG);
		all += packed.len;
		for (k = 0; columns_stream(b->columns, k, &s); k++) {
			name_of(b, &s, name);
			add_stream(sums, &count, &s, name);
			in += s.bytes;
		}
	}
	qsort(sums, count, sizeof(*sums), by_bytes);
	printf("\n%-44s %10s\n", "bytes/event", "");
	printf("%-44s %10.4f\n", "directory",
	       (double)(all - in) / (double)b->events);
	for (i = 0; i < count && i < 40; i++)
		printf("%-44s %10.4f  %s\n", sums[i].name,
		       (double)sums[i].bytes / (double)b->events, sums[i].how);
	free(sums);
	buf_done(&packed);
}

/* ---- beginning and end --------------------------------------------------- */

static void usage(void)
{
	fputs("usage: archive_bench ARCHIVE [-b BYTES] [-n EVENTS] [-r ROUNDS]"
	      " [-s]\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct bench b = {.o = {.block_bytes = BLOCK_BYTES, .rounds = 3}};
	unsigned round;
	size_t i;
	int opt;

	while ((opt = getopt(argc, argv, "b:n:r:s")) != -1) {
		if (opt == 'b')
			b.o.block_bytes = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			b.o.events = strtoull(optarg, NULL, 0);
		else if (opt == 'r')
			b.o.rounds = (unsigned)strtoul(optarg, NULL, 0);
		else if (opt == 's')
			b.o.streams = true;
		else
			usage();
	}
	if (optind + 1 != argc)
		usage();
	load(&b, argv[optind]);
	b.pack = ZSTD_createCCtx();
	b.unpack = ZSTD_createDCtx();
	if (columns_new(&b.columns, b.schema) || !b.pack || !b.unpack)
		die("codecs", -ENOMEM);
	for (round = 0; round < b.o.rounds; round++)
		for (i = 0; i < WAYS; i++)
			go(&b, &ways[i]);
	say(&b);
	if (b.o.streams)
		say_streams(&b);
	return 0;
}
