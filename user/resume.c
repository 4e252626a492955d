// SPDX-License-Identifier: BSD-2-Clause
#include "resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"

/* What stands at the beginning, before each ring, before what was told. */
struct begin {
	uint32_t version;
	uint32_t rings;
	uint64_t passed_ns;
};

struct ring {
	uint64_t pos;
	uint64_t count; /* positions that follow */
};

void resume_put_begin(struct buf *to, uint64_t passed_ns, uint32_t rings)
{
	struct begin b = {RESUME_VERSION, rings, passed_ns};

	buf_put(to, &b, sizeof(b));
}

void resume_put_ring(struct buf *to, const struct resume_ring *r)
{
	struct ring on_disk = {r->pos, r->count};

	buf_put(to, &on_disk, sizeof(on_disk));
	buf_put(to, r->above, r->count * sizeof(*r->above));
}

void resume_put_told(struct buf *to, const struct resume_told *told,
		     uint32_t count)
{
	uint64_t n = count;

	buf_put(to, &n, sizeof(n));
	buf_put(to, told, count * sizeof(*told));
}

/* Bytes left to read. */
struct rest {
	const char *at;
	size_t len;
};

/* Return: @count times @size bytes of it; NULL: there are not so many. */
static const void *take(struct rest *r, uint64_t count, size_t size)
{
	const char *at = r->at;

	if (count > r->len / size)
		return NULL;
	r->at += count * size;
	r->len -= count * size;
	return at;
}

static int parse_ring(struct resume_ring *ret, struct rest *r)
{
	const struct ring *ring = take(r, 1, sizeof(*ring));
	uint32_t i;

	if (!ring || ring->count > UINT32_MAX)
		return -EBADMSG;
	ret->pos = ring->pos;
	ret->count = (uint32_t)ring->count;
	ret->above = take(r, ring->count, sizeof(uint64_t));
	if (!ret->above)
		return -EBADMSG;
	for (i = 0; i < ret->count; i++)
		if (ret->above[i] <= (i ? ret->above[i - 1] : ret->pos))
			return -EBADMSG;
	return 0;
}

static int parse_told(struct resume *ret, struct rest *r)
{
	const uint64_t *n = take(r, 1, sizeof(*n));

	ret->told = n ? take(r, *n, sizeof(*ret->told)) : NULL;
	if (!ret->told || *n > UINT32_MAX || r->len)
		return -EBADMSG;
	ret->told_count = (uint32_t)*n;
	return 0;
}

int resume_parse(struct resume *ret, const void *data, size_t len)
{
	struct rest rest = {data, len};
	const struct begin *b = take(&rest, 1, sizeof(*b));
	struct resume r = {0};
	int err = 0;

	if (!b || b->rings > len / sizeof(struct ring))
		return -EBADMSG;
	if (b->version != RESUME_VERSION)
		return -EPROTONOSUPPORT;
	r.passed_ns = b->passed_ns;
	r.ring = calloc(b->rings + 1, sizeof(*r.ring));
	if (!r.ring)
		return -ENOMEM;
	while (r.rings < b->rings && !err)
		err = parse_ring(&r.ring[r.rings++], &rest);
	if (!err)
		err = parse_told(&r, &rest);
	if (err)
		resume_done(&r);
	else
		*ret = r;
	return err;
}

void resume_done(struct resume *r)
{
	free(r->ring);
	*r = (struct resume){0};
}

int resume_keep(struct resume_kept *k, const struct archive_resume *from)
{
	buf_put(&k->bytes, from->data.data, from->data.len);
	k->rows = calloc(from->count + 1, sizeof(*k->rows));
	if (buf_err(&k->bytes) || !k->rows)
		return -ENOMEM;
	memcpy(k->rows, from->rows, from->count * sizeof(*from->rows));
	k->count = from->count;
	return resume_parse(&k->at, k->bytes.data, k->bytes.len);
}

void resume_forget(struct resume_kept *k)
{
	resume_done(&k->at);
	buf_done(&k->bytes);
	free(k->rows);
	k->rows = NULL;
}

/* ---- the table of tasks ---------------------------------------------------
 */

struct seeding {
	struct tasks *tasks;
	const struct schema *schema;
};

static int seed(void *arg, struct event *ev)
{
	struct seeding *s = arg;
	struct event mine;

	if (event_init(&mine, s->schema, ev->h, ev->len))
		return 0;
	return tasks_apply(s->tasks, &mine);
}

static bool is_same(const struct schema *a, const struct schema *b)
{
	struct buf x = {0}, y = {0};
	bool same;

	schema_encode(a, &x);
	schema_encode(b, &y);
	same = !buf_err(&x) && !buf_err(&y) && x.len == y.len &&
	       !memcmp(x.data, y.data, x.len);
	buf_done(&x);
	buf_done(&y);
	return same;
}

int resume_tasks(struct tasks *t, const struct schema *schema, int dir,
		 const char *segment)
{
	/* Nothing is asked for but the context of the last instant. */
	const struct archive_range range = {UINT64_MAX - 1, UINT64_MAX, NULL,
					    false, 0};
	struct seeding s = {t, schema};
	char path[512], *paths[] = {path};
	struct archive *a;
	const char *why;
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, segment);
	err = archive_open(&a, paths, 1, &why);
	if (err)
		return err;
	err = is_same(archive_schema(a), schema) ? 0 : -EXDEV;
	if (!err)
		err = archive_each(a, &range, seed, &s);
	archive_free(a);
	return err == -EBADMSG ? 0 : err;
}
