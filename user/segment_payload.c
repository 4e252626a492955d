// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archive_format.h"
#include "segment.h"

/* ---- names ------------------------------------------------------------- */

static bool digits(const char **p, unsigned count, unsigned base, uint64_t *ret)
{
	char text[16] = "";
	char *end;

	memcpy(text, *p, strnlen(*p, count));
	if (strspn(text, "0123456789abcdef") != count)
		return false;
	*ret = strtoull(text, &end, (int)base);
	*p += count;
	return !*end;
}

static bool literal(const char **p, char c)
{
	return *(*p)++ == c;
}

/* YYYYMMDDTHHMMSSZ to ns since the epoch. */
static bool utc(const char **p, uint64_t *ret)
{
	uint64_t year, mon, day, hour, min, sec;
	struct tm tm = {0};

	if (!digits(p, 4, 10, &year) || !digits(p, 2, 10, &mon) ||
	    !digits(p, 2, 10, &day) || !literal(p, 'T') ||
	    !digits(p, 2, 10, &hour) || !digits(p, 2, 10, &min) ||
	    !digits(p, 2, 10, &sec) || !literal(p, 'Z'))
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)mon - 1;
	tm.tm_mday = (int)day;
	tm.tm_hour = (int)hour;
	tm.tm_min = (int)min;
	tm.tm_sec = (int)sec;
	*ret = (uint64_t)timegm(&tm) * 1000000000;
	return true;
}

bool segment_parse_name(const char *name, struct segment_head *ret,
			bool *ret_sealed)
{
	struct segment_head h = {0};
	uint64_t boot;
	unsigned i;

	if (!utc(&name, &h.realtime) || !literal(&name, '-') ||
	    !digits(&name, 8, 16, &boot) || !literal(&name, '-') ||
	    !digits(&name, 10, 10, &h.number))
		return false;
	for (i = 0; i < 4; i++)
		h.boot_id[i] = (uint8_t)(boot >> (24 - 8 * i));
	if (strcmp(name, ".weir") && strcmp(name, ".weir.open"))
		return false;
	*ret = h;
	*ret_sealed = !strcmp(name, ".weir");
	return true;
}

/* ---- SEGMENT and TRAILER ----------------------------------------------- */

void segment_put_head(struct buf *b, const struct segment_head *h)
{
	struct disk_segment d = {
		.format = FORMAT_VERSION,
		.min_reader = FORMAT_VERSION,
		.run = h->run,
		.number = h->number,
		.run_realtime = h->run_realtime,
		.realtime = h->realtime,
		.monotonic = h->monotonic,
	};

	memcpy(d.boot_id, h->boot_id, sizeof(d.boot_id));
	buf_put(b, &d, sizeof(d));
}

static int get_head(const void *data, struct segment_head *ret)
{
	struct disk_segment d;

	memcpy(&d, data, sizeof(d));
	if (d.min_reader > FORMAT_VERSION)
		return -EPROTONOSUPPORT;
	*ret = (struct segment_head){
		.run = d.run,
		.number = d.number,
		.run_realtime = d.run_realtime,
		.realtime = d.realtime,
		.monotonic = d.monotonic,
	};
	memcpy(ret->boot_id, d.boot_id, sizeof(d.boot_id));
	return 0;
}

int segment_get_head(const struct buf *b, struct segment_head *ret)
{
	if (b->len < sizeof(struct disk_segment))
		return -EBADMSG;
	return get_head(b->data, ret);
}

int segment_get_trailer(const struct buf *b, struct segment_head *ret)
{
	if (b->len < sizeof(struct disk_trailer))
		return -EBADMSG;
	return get_head(b->data + offsetof(struct disk_trailer, segment), ret);
}

/* ---- CLOCK ------------------------------------------------------------- */

void segment_put_clock(struct buf *b, const struct segment_clock *c)
{
	struct disk_clock d = {
		.monotonic = c->monotonic,
		.realtime = c->realtime,
		.boottime = c->boottime,
		.tai = c->tai,
	};

	buf_put(b, &d, sizeof(d));
}

int segment_get_clock(const struct buf *b, struct segment_clock *ret)
{
	struct disk_clock d;

	if (b->len < sizeof(d))
		return -EBADMSG;
	memcpy(&d, b->data, sizeof(d));
	*ret = (struct segment_clock){
		.monotonic = d.monotonic,
		.realtime = d.realtime,
		.boottime = d.boottime,
		.tai = d.tai,
	};
	return 0;
}

/* ---- LOSS -------------------------------------------------------------- */

/* A row in memory and on disk is the same bytes; this holds them together. */
#define SAME(field)                                                            \
	static_assert(offsetof(struct account_row, field) ==                   \
			      offsetof(struct disk_account, field),            \
		      "account_row." #field)
SAME(cpu);
SAME(submitted);
SAME(filtered);
SAME(shed);
SAME(lost_kernel);
SAME(missed);
SAME(delivered);
SAME(lost_main);
SAME(late);
SAME(rejected);
SAME(context);
SAME(kept);
SAME(lost_archive);

void segment_put_account(struct buf *b, const struct account_row *rows,
			 size_t count, uint32_t flags)
{
	struct disk_loss d = {
		.rows = (uint32_t)count,
		.row_size = sizeof(struct disk_account),
		.flags = flags,
	};

	buf_put(b, &d, sizeof(d));
	if (count)
		buf_put(b, rows, count * sizeof(struct disk_account));
}

static int get_loss(const struct buf *b, struct disk_loss *ret)
{
	struct disk_loss d;

	if (b->len < sizeof(d))
		return -EBADMSG;
	memcpy(&d, b->data, sizeof(d));
	if (d.row_size < sizeof(struct disk_account) ||
	    d.rows > (b->len - sizeof(d)) / d.row_size)
		return -EBADMSG;
	*ret = d;
	return 0;
}

size_t segment_account_len(const struct buf *b)
{
	struct disk_loss d;

	return get_loss(b, &d) ? 0 : sizeof(d) + (size_t)d.rows * d.row_size;
}

int segment_get_account(const struct buf *b, struct account_row **ret_rows,
			size_t *ret_count, uint32_t *ret_flags)
{
	struct account_row *rows;
	struct disk_loss d;
	uint32_t i;
	int err;

	err = get_loss(b, &d);
	if (err)
		return err;
	rows = calloc(d.rows ? d.rows : 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (i = 0; i < d.rows; i++) {
		memcpy(&rows[i], b->data + sizeof(d) + (size_t)i * d.row_size,
		       sizeof(struct disk_account));
		rows[i].source[sizeof(rows[i].source) - 1] = '\0';
	}
	*ret_rows = rows;
	*ret_count = d.rows;
	*ret_flags = d.flags;
	return 0;
}

/* ---- META -------------------------------------------------------------- */

void segment_put_meta(struct buf *b, const char *name, const char *value)
{
	buf_put(b, name, strlen(name) + 1);
	buf_put(b, value, strlen(value) + 1);
}

void segment_each_meta(const struct buf *b,
		       void (*fn)(void *arg, const char *name,
				  const char *value),
		       void *arg)
{
	const char *p = b->data, *value, *stop;
	size_t left = b->len;

	while (left) {
		value = memchr(p, '\0', left);
		if (!value)
			return;
		value++;
		left -= (size_t)(value - p);
		stop = left ? memchr(value, '\0', left) : NULL;
		if (!stop)
			return;
		fn(arg, p, value);
		left -= (size_t)(stop + 1 - value);
		p = stop + 1;
	}
}

struct meta_search {
	const char *name, *value;
};

static void is_it(void *arg, const char *name, const char *value)
{
	struct meta_search *s = arg;

	if (!s->value && !strcmp(name, s->name))
		s->value = value;
}

const char *segment_get_meta(const struct buf *b, const char *name)
{
	struct meta_search s = {.name = name};

	segment_each_meta(b, is_it, &s);
	return s.value;
}
