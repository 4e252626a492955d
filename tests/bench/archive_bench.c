// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_bench.c - how small and how fast blocks are, on events of an archive
 *
 *	archive_bench ARCHIVE [-b BYTES] [-n EVENTS] [-r ROUNDS] [-s] [-w WAY]
 *		      [--json]
 *
 * Events are collected into blocks as the recorder does (BYTES of rows, 64 Ki
 * events, 1 s), then each block is encoded and decoded by every way in turn,
 * and each result compared with the rows to the byte. Times are CPU time of
 * this thread, the median of ROUNDS (5); slow ways are measured on some of the
 * blocks. -s: bytes by what they hold. -w: beside columns_zstd, against which
 * others are held, this way alone (a key of --json).
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/block.h"
#include "archive_ways.h"
#include "recording.h"

#define BLOCK_NS   1000000000ULL
#define BLOCKS_MAX 65536
#define ROUNDS_MAX 64

struct options {
	size_t block_bytes;
	uint64_t events;
	unsigned rounds;
	bool streams, json;
	const char *way; /* NULL: all */
};

struct bench {
	struct options o;
	struct buf *block; /* rows of each */
	uint32_t *count;
	size_t blocks;
	uint64_t events, raw, first_ns;
	struct schema *schema;
	struct tools tools;
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * BLOCK_NS + (uint64_t)ts.tv_nsec;
}

/* ---- events into blocks -------------------------------------------------- */

static int collect(void *arg, struct event *ev)
{
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
	recording_put(rows, ev);
	b->raw += ev->len;
	return ++b->events == b->o.events;
}

static void load(struct bench *b, char *path)
{
	struct archive *a = recording_open(path);

	b->block = calloc(BLOCKS_MAX, sizeof(*b->block));
	b->count = calloc(BLOCKS_MAX, sizeof(*b->count));
	if (!b->block || !b->count)
		die("blocks", -ENOMEM);
	recording_each(a, collect, b);
	b->blocks += b->blocks < BLOCKS_MAX && b->count[b->blocks];
	b->schema = recording_schema(a);
	archive_free(a);
}

/* ---- measuring ----------------------------------------------------------- */

struct result {
	uint64_t events, bytes;
	uint64_t encode_ns[ROUNDS_MAX], decode_ns[ROUNDS_MAX];
};

/* Views of a block's events, each with its task. */
static void view_events(struct bench *b, size_t block)
{
	const struct buf *rows = &b->block[block];
	struct tools *t = &b->tools;
	size_t at;

	free(t->event);
	t->event = calloc(b->count[block], sizeof(*t->event));
	t->event_count = 0;
	if (!t->event)
		die("events", -ENOMEM);
	for (at = 0; at < rows->len;) {
		struct event *ev = &t->event[t->event_count++];

		if (event_init(ev, b->schema, rows->data + at, rows->len - at))
			die("events", -EBADMSG);
		tasks_apply(t->tasks, ev);
		at += (ev->len + 7) & ~(size_t)7;
	}
}

static void check(const struct way *w, const struct buf *a, const struct buf *b)
{
	if (a->len != b->len || memcmp(a->data, b->data, a->len) != 0)
		die(w->name, -EBADMSG);
}

static void go_block(struct bench *b, const struct way *w, size_t block,
		     struct result *r, unsigned round)
{
	static struct buf packed, rows;
	uint64_t start;
	int err;

	if (w->events)
		view_events(b, block);
	buf_reset(&packed);
	start = cpu_ns();
	err = w->encode(&b->tools, &b->block[block], &packed);
	r->encode_ns[round] += cpu_ns() - start;
	r->bytes += packed.len;
	r->events += b->count[block];
	if (err)
		die(w->name, err);
	if (!w->decode)
		return;
	start = cpu_ns();
	err = w->decode(&b->tools, &packed, b->block[block].len, &rows);
	r->decode_ns[round] += cpu_ns() - start;
	if (err)
		die(w->name, err);
	check(w, &rows, &b->block[block]);
}

/* All blocks one way, there and back. */
static void go(struct bench *b, const struct way *w, struct result *r,
	       unsigned round)
{
	size_t step = w->blocks ? 1 + (b->blocks - 1) / w->blocks : 1, i;
	uint64_t start;
	int err;

	r->bytes = r->events = 0;
	err = w->begin ? w->begin(&b->tools) : 0;
	if (err)
		die(w->name, err);
	for (i = 0; i < b->blocks; i += step)
		go_block(b, w, i, r, round);
	if (!w->end)
		return;
	start = cpu_ns();
	r->bytes += w->end(&b->tools);
	r->encode_ns[round] += cpu_ns() - start;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median of all rounds, in M events/s; 0 not measured. */
static double speed(const struct bench *b, const struct result *r,
		    const uint64_t *ns)
{
	uint64_t v[ROUNDS_MAX];

	memcpy(v, ns, sizeof(v));
	qsort(v, b->o.rounds, sizeof(*v), by_size);
	return v[b->o.rounds / 2]
		       ? (double)r->events * 1e3 / (double)v[b->o.rounds / 2]
		       : 0;
}

static double bytes_each(const struct result *r)
{
	return (double)r->bytes / (double)r->events;
}

static bool is_asked(const struct options *o, unsigned way)
{
	return way == WAY_COLUMNS || !o->way || !strcmp(o->way, ways[way].key);
}

/* ---- the table ----------------------------------------------------------- */

static void say(const struct bench *b, const struct result *r)
{
	const struct result *c = &r[WAY_COLUMNS];
	double encode = speed(b, c, c->encode_ns);
	double decode = speed(b, c, c->decode_ns);
	unsigned i;

	printf("%zu blocks, %" PRIu64 " events, %.1f bytes each as records\n"
	       "M events/s of one core; (x) is columns against that way\n",
	       b->blocks, b->events, (double)b->raw / (double)b->events);
	printf("%-20s %8s %7s  %8s %7s  %8s %7s\n", "", "B/event", "", "encode",
	       "", "decode", "");
	for (i = 0; i < WAYS; i++) {
		double e = speed(b, &r[i], r[i].encode_ns);
		double d = speed(b, &r[i], r[i].decode_ns);

		if (!is_asked(&b->o, i))
			continue;
		printf("%-20s %8.3f (%.3f)  %8.2f (%.2f)", ways[i].name,
		       bytes_each(&r[i]), bytes_each(c) / bytes_each(&r[i]), e,
		       encode / e);
		if (d > 0)
			printf("  %8.2f (%.2f)", d, decode / d);
		putchar('\n');
	}
}

/* A list of objects, one for each way. */
static void say_json(const struct bench *b, const struct result *r)
{
	unsigned i, said = 0;

	printf("{\"blocks\":%zu,\"events\":%" PRIu64
	       ",\"record_bytes\":%" PRIu64 ",\"rounds\":%u,\"ways\":[",
	       b->blocks, b->events, b->raw, b->o.rounds);
	for (i = 0; i < WAYS; i++) {
		double d = speed(b, &r[i], r[i].decode_ns);

		if (!is_asked(&b->o, i))
			continue;
		printf("%s{\"way\":\"%s\",\"events\":%" PRIu64
		       ",\"bytes\":%" PRIu64 ",\"bytes_per_event\":%.4f"
		       ",\"encode_events_per_s\":%.0f",
		       said++ ? "," : "", ways[i].key, r[i].events, r[i].bytes,
		       bytes_each(&r[i]),
		       speed(b, &r[i], r[i].encode_ns) * 1e6);
		if (d > 0)
			printf(",\"decode_events_per_s\":%.0f", d * 1e6);
		putchar('}');
	}
	puts("]}");
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
		if (columns_encode(b->tools.columns, &b->block[i], false,
				   &packed))
			die("streams", -EBADMSG);
		all += packed.len;
		for (k = 0; columns_stream(b->tools.columns, k, &s); k++) {
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
	      " [-s] [-w WAY] [--json]\n",
	      stderr);
	exit(2);
}

static char *parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
					      {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "b:n:r:sw:", longs, NULL)) !=
	       -1) {
		if (opt == 'b')
			o->block_bytes = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			o->events = strtoull(optarg, NULL, 0);
		else if (opt == 'r')
			o->rounds = (unsigned)strtoul(optarg, NULL, 0);
		else if (opt == 's')
			o->streams = true;
		else if (opt == 'w')
			o->way = optarg;
		else if (opt == 'j')
			o->json = true;
		else
			usage();
	}
	if (optind + 1 != argc || !o->rounds || o->rounds > ROUNDS_MAX)
		usage();
	return argv[optind];
}

int main(int argc, char **argv)
{
	struct bench b = {.o = {.block_bytes = BLOCK_BYTES, .rounds = 5}};
	static struct result result[WAYS];
	unsigned round, i;
	int err;

	load(&b, parse(&b.o, argc, argv));
	err = b.blocks ? tools_init(&b.tools, b.schema) : -ENODATA;
	if (err)
		die("tools", err);
	for (round = 0; round < b.o.rounds; round++)
		for (i = 0; i < WAYS; i++)
			if (is_asked(&b.o, i))
				go(&b, &ways[i], &result[i], round);
	if (b.o.json)
		say_json(&b, result);
	else
		say(&b, result);
	if (b.o.streams)
		say_streams(&b);
	tools_done(&b.tools);
	return 0;
}
