/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h - for the tests of the archive: a schema, random records of several
 * kinds, a recorder that keeps an account, and a scratch directory.
 */
#ifndef WEIR_TEST_STORE_H
#define WEIR_TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/archive.h"
#include "../../user/clock.h"
#include "../../user/crc32c.h"

/* ---- schema ------------------------------------------------------------ */

#define STORE_FIELD(n, at, bytes, t)                                           \
	{                                                                      \
		.name = n, .help = "", .offset = at, .size = bytes,            \
		.count = 1, .type = t                                          \
	}

static const struct schema_field store_fork[] = {
	STORE_FIELD("child_pid", 24, 4, FIELD_UINT),
	STORE_FIELD("child_tid", 28, 4, FIELD_UINT),
};

static const struct schema_field store_exec[] = {
	STORE_FIELD("uid", 24, 4, FIELD_UINT),
	STORE_FIELD("ppid", 28, 4, FIELD_UINT),
	STORE_FIELD("new_comm", 32, 16, FIELD_CHARS),
	STORE_FIELD("filename", 48, 8, FIELD_STR),
	STORE_FIELD("argv", 56, 8, FIELD_STR),
};

static const struct schema_field store_call[] = {
	STORE_FIELD("name", 24, 4, FIELD_UINT),
	STORE_FIELD("compat", 28, 4, FIELD_UINT),
	STORE_FIELD("arg", 32, 8, FIELD_UINT),
	STORE_FIELD("ret", 40, 8, FIELD_INT),
	STORE_FIELD("duration", 48, 8, FIELD_UINT),
	STORE_FIELD("path", 56, 8, FIELD_STR),
};

static const struct schema_field store_gap[] = {
	STORE_FIELD("of", 24, 16, FIELD_CHARS),
	STORE_FIELD("count", 40, 8, FIELD_UINT),
};

static inline void store_kind(struct schema *s, unsigned number,
			      const char *source, const char *name,
			      unsigned size, const struct schema_field *fields,
			      unsigned count)
{
	const char *why = "";
	struct schema_kind k = {
		.name = name,
		.source = source,
		.help = "",
		.text = "",
		.number = (uint16_t)number,
		.size = (uint16_t)size,
		.field_count = (uint16_t)count,
		.fields = fields,
	};

	if (schema_add_kind(s, &k, &why))
		fail_msg("%s: %s", name, why);
}

#define STORE_SOURCES 3
static const char *const store_sources[STORE_SOURCES] = {"task", "syscall",
							 "repo"};

/* The sources, and no kind yet. */
static inline struct schema *store_schema_begun(const char *help)
{
	struct schema *s;
	int i;

	assert_int_equal(schema_new(&s), 0);
	for (i = 0; i < STORE_SOURCES; i++) {
		struct schema_source src = {store_sources[i], help};

		assert_int_equal(schema_add_source(s, &src), 0);
	}
	return s;
}

static inline struct schema *store_schema(void)
{
	struct schema *s = store_schema_begun("");

	store_kind(s, EV_TASK_FORK, "task", "task_fork", 32, store_fork, 2);
	store_kind(s, EV_TASK_EXEC, "task", "task_exec", 64, store_exec, 5);
	store_kind(s, EV_SYSCALL_DONE, "syscall", "syscall_done", 64,
		   store_call, 6);
	store_kind(s, EV_GAP, "repo", "gap", 48, store_gap, 2);
	return s;
}

/* ---- records ----------------------------------------------------------- */

#define STORE_RECORD_MAX 9000

struct store_record {
	_Alignas(8) uint8_t data[STORE_RECORD_MAX];
};

static inline uint32_t store_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

static inline struct weir_hdr *store_hdr(struct store_record *r)
{
	return (struct weir_hdr *)r->data;
}

static inline void store_begin(struct store_record *r, unsigned kind,
			       uint64_t ts, unsigned cpu, unsigned size)
{
	struct weir_hdr *h = store_hdr(r);

	memset(r->data, 0, size);
	h->ts = ts;
	h->kind = (uint16_t)kind;
	h->cpu = (uint16_t)cpu;
	h->len = (uint16_t)size;
	h->pid = h->tid = 100 + cpu;
}

static inline void store_string(struct store_record *r, unsigned at, size_t len,
				uint64_t *seed)
{
	struct weir_hdr *h = store_hdr(r);
	struct weir_str s = {h->len, (uint16_t)len, (uint32_t)len};
	size_t i;

	memcpy(r->data + at, &s, sizeof(s));
	for (i = 0; i < len; i++)
		r->data[h->len + i] = (uint8_t)store_random(seed);
	h->len = (uint16_t)(h->len + len);
}

/* A record of any kind, bytes at random, time a little later than @ts. */
static inline void store_make(struct store_record *r, uint64_t *seed,
			      uint64_t *ts)
{
	static const unsigned kinds[] = {EV_TASK_FORK, EV_TASK_EXEC,
					 EV_SYSCALL_DONE};
	static const unsigned sizes[] = {32, 64, 64};
	uint32_t x = store_random(seed);
	unsigned i = x % 16 < 3 ? x % 2 : 2, at;

	*ts += store_random(seed) % 2000;
	/* CPU 0, or one that has no row of its own */
	store_begin(r, kinds[i], *ts, x % 3 ? 0 : 300, sizes[i]);
	for (at = 24; at < (i == 0 ? 32U : 48U); at++)
		r->data[at] = (uint8_t)store_random(seed);
	if (i == 1)
		store_string(r, 48, x % 40, seed);
	if (i == 1)
		store_string(r, 56, x % 97 == 0 ? 4096 : x % 50, seed);
	if (i == 2 && x % 4 == 0)
		store_string(r, 56, x % 60, seed);
}

/* ---- a recorder -------------------------------------------------------- */

#define STORE_CPUS 8
#define STORE_ROWS (STORE_SOURCES * (STORE_CPUS + 1))

struct store {
	struct schema *schema;
	struct archive_writer *writer;
	struct account_row rows[STORE_ROWS];
	uint64_t seed, ts;
	uint64_t appended, hash; /* of all events */
	uint64_t lost, states;
	unsigned state_records;
	unsigned packers;	      /* of options */
	bool vital[SCHEMA_KINDS_MAX]; /* of options */
};

static inline struct account_row *store_row(struct store *s, const char *source,
					    uint32_t cpu)
{
	unsigned i, c = cpu < STORE_CPUS ? cpu : STORE_CPUS;

	for (i = 0; i < STORE_SOURCES; i++)
		if (!strcmp(store_sources[i], source))
			return &s->rows[i * (STORE_CPUS + 1) + c];
	fail_msg("no source %s", source);
	return NULL;
}

static inline void store_init(struct store *s)
{
	unsigned i;

	memset(s, 0, sizeof(*s));
	s->schema = store_schema();
	s->seed = 1;
	s->ts = clock_now();
	for (i = 0; i < STORE_ROWS; i++) {
		unsigned cpu = i % (STORE_CPUS + 1);

		strcpy(s->rows[i].source, store_sources[i / (STORE_CPUS + 1)]);
		s->rows[i].cpu = cpu < STORE_CPUS ? cpu : ACCOUNT_ANY_CPU;
	}
}

static inline size_t store_account(void *arg, const struct account_row **ret)
{
	*ret = ((struct store *)arg)->rows;
	return STORE_ROWS;
}

static inline int store_state(void *arg, struct archive_writer *w)
{
	struct store *s = arg;
	struct store_record r;
	unsigned i;
	int err = 0;

	s->states++;
	for (i = 0; i < s->state_records && !err; i++) {
		store_begin(&r, EV_TASK_FORK, clock_now(), 0, 32);
		err = archive_state(w, r.data, 32);
	}
	return err;
}

static inline int store_open(struct store *s, const char *path, bool exist_ok,
			     uint64_t segment_bytes)
{
	struct archive_options o = {
		.path = path,
		.exist_ok = exist_ok,
		.segment_bytes = segment_bytes,
		.command = "a test",
		.state = store_state,
		.account = store_account,
		.vital = s->vital,
		.packers = s->packers,
		.arg = s,
	};

	return archive_create(&s->writer, s->schema, &o);
}

static inline void store_told(void *arg, const char *source, uint32_t cpu,
			      uint64_t count, uint64_t first, uint64_t last)
{
	struct account_row *r = store_row(arg, source, cpu);
	struct store *s = arg;

	assert_true(first <= last);
	r->kept -= count;
	r->lost_archive += count;
	s->lost += count;
}

/* As the repo does: count, hand over. */
static inline int store_append(struct store *s, struct store_record *r)
{
	struct weir_hdr *h = store_hdr(r);
	struct account_row *row;
	struct event ev;

	assert_int_equal(event_init(&ev, s->schema, h, sizeof(r->data)), 0);
	row = store_row(s, ev.kind->source, h->cpu);
	row->submitted++;
	row->delivered++;
	if (h->flags & WEIR_F_CONTEXT) {
		row->rejected++;
		row->context++;
	} else {
		row->kept++;
	}
	s->appended++;
	s->hash = s->hash * 31 + crc32c(0, h, h->len);
	return archive_append(s->writer, &ev);
}

static inline int store_flush(struct store *s)
{
	return archive_flush(s->writer);
}

#define STORE_FLUSH 10000 /* events: so that the thread comes along */

/* @n records at random. Return: how many calls failed. */
static inline unsigned store_fill(struct store *s, unsigned n)
{
	struct store_record r;
	unsigned failed = 0;

	while (n--) {
		store_make(&r, &s->seed, &s->ts);
		failed += store_append(s, &r) != 0;
		if (s->appended % STORE_FLUSH)
			continue;
		failed += archive_flush(s->writer) != 0;
		failed += archive_tick(s->writer, clock_now()) != 0;
	}
	return failed;
}

static inline int store_close(struct store *s)
{
	int err = archive_close(s->writer);

	s->writer = NULL;
	return err;
}

static inline void store_done(struct store *s)
{
	if (s->writer)
		archive_close(s->writer);
	schema_free(s->schema);
}

/* ---- reading back ------------------------------------------------------ */

struct store_read {
	int err; /* of archive_open or archive_each */
	uint64_t events, hash, context;
	struct archive_info info;
};

static inline int store_on_event(void *arg, struct event *ev)
{
	struct store_read *r = arg;

	if (ev->h->flags & WEIR_F_CONTEXT) {
		r->context++;
		return 0;
	}
	r->events++;
	r->hash = r->hash * 31 + crc32c(0, ev->h, ev->len);
	return 0;
}

static inline struct store_read store_read_range(const char *path,
						 uint64_t from, uint64_t to,
						 const bool *kinds)
{
	static unsigned reads; /* every other time a thread is ahead */
	struct archive_range range = {from, to, kinds, false, reads++ % 2 * 2};
	char *paths[] = {(char *)path};
	struct store_read r = {0};
	struct archive *a;
	const char *why;

	r.err = archive_open(&a, paths, 1, &why);
	if (r.err)
		return r;
	archive_info(a, &r.info);
	r.info.host = r.info.kernel = r.info.boot_id = r.info.command =
		r.info.version = NULL;
	r.err = archive_each(a, &range, store_on_event, &r);
	archive_free(a);
	return r;
}

static inline struct store_read store_read(const char *path)
{
	return store_read_range(path, 0, 0, NULL);
}

static inline void store_say(void *arg, const char *line)
{
	(void)arg;
	if (getenv("V"))
		print_message("%s\n", line);
}

static inline int store_verify(const char *path, struct verify_report *ret)
{
	char *paths[] = {(char *)path};

	return archive_verify(paths, 1, ret, store_say, NULL);
}

/* ---- scratch directory ------------------------------------------------- */

static inline int store_remove_one(const char *path, const struct stat *st,
				   int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void store_remove(const char *path)
{
	nftw(path, store_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new directory, its name in @ret. */
static inline void store_scratch(char ret[64])
{
	snprintf(ret, 64, "/tmp/weir-test-XXXXXX");
	assert_non_null(mkdtemp(ret));
}

/* The one file in @dir whose name ends with @suffix; its path in @ret. */
static inline bool store_find(const char *dir, const char *suffix,
			      char ret[512])
{
	DIR *d = opendir(dir);
	bool found = false;
	struct dirent *e;
	size_t len;

	assert_non_null(d);
	while ((e = readdir(d))) {
		len = strlen(e->d_name);
		if (len < strlen(suffix) ||
		    strcmp(e->d_name + len - strlen(suffix), suffix))
			continue;
		assert_false(found);
		found = true;
		snprintf(ret, 512, "%s/%s", dir, e->d_name);
	}
	closedir(d);
	return found;
}

/* All of a file, in memory the caller frees. */
static inline uint8_t *store_load(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data;
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return data;
}

#endif
