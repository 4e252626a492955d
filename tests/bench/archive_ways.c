// SPDX-License-Identifier: BSD-2-Clause
#include "archive_ways.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "../../user/render.h"

#define JSON_BLOCKS   8 /* these are slow */
#define SQLITE_BLOCKS 4

/* ---- rows ---------------------------------------------------------------- */

static int copy(struct tools *t, const struct buf *rows, struct buf *to)
{
	(void)t;
	buf_put(to, rows->data, rows->len);
	return buf_err(to);
}

static int copy_back(struct tools *t, const struct buf *from, size_t len,
		     struct buf *rows)
{
	(void)len;
	buf_reset(rows);
	return copy(t, from, rows);
}

static int pack(struct tools *t, const struct buf *from, struct buf *to)
{
	size_t room = ZSTD_compressBound(from->len), n;
	void *dst = buf_space(to, room);

	if (!dst)
		return -ENOMEM;
	n = ZSTD_compressCCtx(t->pack, dst, room, from->data, from->len, 1);
	if (ZSTD_isError(n))
		return -ENOMEM;
	to->len += n;
	return 0;
}

static int unpack(struct tools *t, const struct buf *from, size_t len,
		  struct buf *rows)
{
	void *dst;

	buf_reset(rows);
	dst = buf_space(rows, len);
	if (!dst)
		return -ENOMEM;
	rows->len = ZSTD_decompressDCtx(t->unpack, dst, len, from->data,
					from->len);
	return rows->len == len ? 0 : -EBADMSG;
}

/* ---- columns ------------------------------------------------------------- */

static int columns_zstd(struct tools *t, const struct buf *rows, struct buf *to)
{
	return columns_encode(t->columns, rows, false, to);
}

static int columns_lz4(struct tools *t, const struct buf *rows, struct buf *to)
{
	return columns_encode(t->columns, rows, true, to);
}

static int columns_back(struct tools *t, const struct buf *from, size_t len,
			struct buf *rows)
{
	int err = columns_open(t->columns, from->data, from->len);

	return err ? err : columns_decode(t->columns, rows, len);
}

/* ---- JSON lines ---------------------------------------------------------- */

static int json_lines(struct tools *t, const struct buf *rows, struct buf *to)
{
	struct render r = {.schema = t->schema, .tasks = t->tasks};
	uint32_t i;

	(void)rows;
	buf_reset(&t->text);
	for (i = 0; i < t->event_count; i++)
		render_json(&t->text, &r, &t->event[i]);
	return buf_err(&t->text) ? -ENOMEM : pack(t, &t->text, to);
}

/* ---- SQLite -------------------------------------------------------------- */

struct table {
	sqlite3_stmt *insert;
};

struct database {
	sqlite3 *db;
	struct table table[SCHEMA_KINDS_MAX];
};

/* Columns that a field takes: elements of a number, or one. */
static unsigned columns_of(const struct schema_field *f)
{
	return f->type <= FIELD_INT && f->count <= 8 ? f->count : 1;
}

static sqlite3_stmt *prepare(struct database *d, struct buf *sql)
{
	sqlite3_stmt *s = NULL;

	if (buf_err(sql) || sqlite3_prepare_v2(d->db, sql->data, (int)sql->len,
					       &s, NULL) != SQLITE_OK)
		fprintf(stderr, "archive_bench: %s\n", sqlite3_errmsg(d->db));
	buf_reset(sql);
	return s;
}

/* A table of a kind: the header's columns, then those of the fields. */
static int add_table(struct database *d, const struct schema_kind *k)
{
	unsigned i, e, n = 4;
	struct buf sql = {0};
	sqlite3_stmt *s;

	buf_printf(&sql, "CREATE TABLE %s (ts, cpu, pid, tid", k->name);
	for (i = 0; i < k->field_count; i++)
		for (e = 0; e < columns_of(&k->fields[i]); e++, n++)
			buf_printf(&sql, ", %s_%u", k->fields[i].name, e);
	buf_puts(&sql, ")");
	s = prepare(d, &sql);
	if (sqlite3_step(s) == SQLITE_DONE) {
		buf_printf(&sql, "INSERT INTO %s VALUES (?", k->name);
		while (--n)
			buf_puts(&sql, ", ?");
		buf_puts(&sql, ")");
		d->table[k->number].insert = prepare(d, &sql);
	}
	sqlite3_finalize(s);
	buf_done(&sql);
	return d->table[k->number].insert ? 0 : -EIO;
}

static uint64_t sqlite_end(struct tools *t)
{
	struct database *d = t->sqlite;
	sqlite3_stmt *s = NULL;
	uint64_t bytes = 0;
	unsigned i;

	sqlite3_exec(d->db, "COMMIT", NULL, NULL, NULL);
	if (!sqlite3_prepare_v2(d->db,
				"SELECT page_count * page_size "
				"FROM pragma_page_count, pragma_page_size",
				-1, &s, NULL) &&
	    sqlite3_step(s) == SQLITE_ROW)
		bytes = (uint64_t)sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		sqlite3_finalize(d->table[i].insert);
	sqlite3_close(d->db);
	unlink(t->path);
	free(d);
	t->sqlite = NULL;
	return bytes;
}

static int sqlite_begin(struct tools *t)
{
	struct database *d = calloc(1, sizeof(*d));
	unsigned i;
	int err;

	if (!d)
		return -ENOMEM;
	t->sqlite = d;
	err = sqlite3_open(t->path, &d->db) ? -EIO : 0;
	if (!err && sqlite3_exec(d->db, "BEGIN", NULL, NULL, NULL))
		err = -EIO;
	for (i = 0; i < SCHEMA_KINDS_MAX && !err; i++)
		if (schema_kind(t->schema, i))
			err = add_table(d, schema_kind(t->schema, i));
	if (err)
		sqlite_end(t);
	return err;
}

static void bind_field(sqlite3_stmt *s, const struct event *ev,
		       const struct schema_field *f, int *at)
{
	unsigned e, n = columns_of(f);
	struct field_bytes b;

	if (f->type <= FIELD_INT && f->count <= 8) {
		for (e = 0; e < n; e++)
			sqlite3_bind_int64(s, (*at)++, field_s64(ev, f, e));
		return;
	}
	b = field_bytes(ev, f);
	sqlite3_bind_text(s, (*at)++, (const char *)b.data, (int)b.len,
			  SQLITE_STATIC);
}

static int sqlite_insert(struct tools *t, const struct buf *rows,
			 struct buf *to)
{
	struct database *d = t->sqlite;
	uint32_t i;
	unsigned k;

	(void)rows, (void)to;
	for (i = 0; i < t->event_count; i++) {
		const struct event *ev = &t->event[i];
		sqlite3_stmt *s = d->table[ev->h->kind].insert;
		int at = 1;

		sqlite3_bind_int64(s, at++, (sqlite3_int64)ev->h->ts);
		sqlite3_bind_int64(s, at++, ev->h->cpu);
		sqlite3_bind_int64(s, at++, ev->h->pid);
		sqlite3_bind_int64(s, at++, ev->h->tid);
		for (k = 0; k < ev->kind->field_count; k++)
			bind_field(s, ev, &ev->kind->fields[k], &at);
		if (sqlite3_step(s) != SQLITE_DONE)
			return -EIO;
		sqlite3_reset(s);
	}
	return 0;
}

/* ---- all of them --------------------------------------------------------- */

const struct way ways[WAYS] = {
	{.name = "rows, zstd-1",
	 .key = "rows_zstd",
	 .encode = pack,
	 .decode = unpack},
	{.name = "columns, zstd-1",
	 .key = "columns_zstd",
	 .encode = columns_zstd,
	 .decode = columns_back},
	{.name = "columns, lz4",
	 .key = "columns_lz4",
	 .encode = columns_lz4,
	 .decode = columns_back},
	{.name = "JSON lines, zstd-1",
	 .key = "json_zstd",
	 .encode = json_lines,
	 .events = true,
	 .blocks = JSON_BLOCKS},
	{.name = "SQLite inserts",
	 .key = "sqlite",
	 .begin = sqlite_begin,
	 .end = sqlite_end,
	 .encode = sqlite_insert,
	 .events = true,
	 .blocks = SQLITE_BLOCKS},
	{.name = "memcpy",
	 .key = "memcpy",
	 .encode = copy,
	 .decode = copy_back},
};

int tools_init(struct tools *t, struct schema *s)
{
	const char *tmp = getenv("TMPDIR");
	int fd, err;

	*t = (struct tools){.schema = s};
	t->pack = ZSTD_createCCtx();
	t->unpack = ZSTD_createDCtx();
	if (!t->pack || !t->unpack ||
	    asprintf(&t->path, "%s/archive_bench.XXXXXX", tmp ? tmp : "/tmp") <
		    0)
		return -ENOMEM;
	fd = mkstemp(t->path);
	if (fd < 0)
		return -errno;
	close(fd);
	err = columns_new(&t->columns, s);
	return err ? err : tasks_new(&t->tasks, s);
}

void tools_done(struct tools *t)
{
	columns_free(t->columns);
	tasks_free(t->tasks);
	ZSTD_freeCCtx(t->pack);
	ZSTD_freeDCtx(t->unpack);
	buf_done(&t->text);
	if (t->path)
		unlink(t->path);
	free(t->path);
	free(t->event);
}
