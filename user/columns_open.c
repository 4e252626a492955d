// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_read.h"

#define HEAD_MAX    (16U << 20)
#define STRINGS_MAX (64U << 20) /* bytes */
#define STREAMS_MAX (1U << 20)

/* ---- the head ------------------------------------------------------------ */

static bool is_sane(const struct block_head *h)
{
	return h->rows && h->rows <= ROWS_MAX && h->runs <= h->rows &&
	       h->runs < UINT16_MAX && h->tasks <= h->rows &&
	       h->turns <= h->rows && h->late <= h->rows &&
	       h->picks <= h->rows && h->parts <= PARTS_MAX &&
	       h->parts <= h->rows && h->strings <= VALUES_MAX &&
	       h->string_bytes <= STRINGS_MAX;
}

/* Groups, and how many rows they have. */
static int get_groups(struct columns *c, struct part *p, struct cursor *at)
{
	bool bad = false;
	uint64_t all = 0;
	uint32_t i;

	p->group = pool_zero(&c->block, p->group_count, sizeof(*p->group));
	if (!p->group)
		return -ENOMEM;
	for (i = 0; i < p->group_count && !bad; i++) {
		uint64_t rows;

		p->group[i].key = get_varint(at, &bad);
		rows = get_varint(at, &bad);
		all += rows;
		if (rows > c->head.rows || all > c->head.rows)
			return -EBADMSG;
		p->group[i].rows = (uint32_t)rows;
	}
	p->rows = (uint32_t)all;
	return bad ? -EBADMSG : 0;
}

static int get_part(struct columns *c, struct part *p, struct cursor *at)
{
	bool bad = false;
	uint64_t kind = get_varint(at, &bad), check = get_varint(at, &bad);
	uint64_t groups = get_varint(at, &bad);
	int err;

	if (bad || kind >= SCHEMA_KINDS_MAX || !groups || groups > KEYS + 1)
		return -EBADMSG;
	*p = (struct part){
		.plan = plans_find(c->plans, (unsigned)kind),
		.kind = (uint32_t)kind,
		.check = (uint32_t)check,
		.first_group = c->group_count,
		.group_count = (uint32_t)groups,
	};
	c->group_count += (uint32_t)groups;
	/* without its plan nothing says where the next part's streams are */
	if (!p->plan || p->plan->check != p->check ||
	    c->group_count >= GROUPS_MAX)
		return -EBADMSG;
	err = get_groups(c, p, at);
	if (!err && (uint64_t)p->rows * p->plan->count > VALUES_MAX)
		return -EBADMSG;
	return err;
}

/* Where each group's streams are. */
static bool place_streams(struct columns *c)
{
	uint64_t at = COMMON_STREAMS, rows = 0;
	uint32_t i, k;

	for (i = 0; i < c->head.parts; i++) {
		struct part *p = &c->part[i];

		rows += p->rows;
		for (k = 0; k < p->group_count; k++) {
			p->group[k].stream = (uint32_t)at;
			at += p->plan->count;
			if (at > c->stream_count)
				return false;
		}
	}
	c->group_streams = (uint32_t)at;
	return at <= c->stream_count && rows == c->head.rows;
}

static int room_for_streams(struct columns *c, uint64_t count)
{
	struct stream *s;

	if (count > STREAMS_MAX || count < COMMON_STREAMS)
		return -EBADMSG;
	if (count > c->stream_room) {
		s = realloc(c->stream, count * sizeof(*s));
		if (!s)
			return -ENOMEM;
		c->stream = s;
		c->stream_room = (uint32_t)count;
	}
	c->stream_count = (uint32_t)count;
	return 0;
}

static uint64_t get_below(struct cursor *at, uint64_t max, bool *bad)
{
	uint64_t v = get_varint(at, bad);

	*bad |= v > max;
	return v;
}

static int get_streams(struct columns *c, struct cursor *at)
{
	bool bad = false;
	uint32_t i, n;
	int err;

	err = room_for_streams(c, get_varint(at, &bad));
	if (err || bad)
		return err ? err : -EBADMSG;
	n = c->stream_count;
	memset(c->stream, 0, n * sizeof(*c->stream));
	for (i = 0; i < n; i++)
		c->stream[i].what = (uint8_t)get_below(at, UINT8_MAX, &bad);
	for (i = 0; i < n; i++)
		c->stream[i].param = (uint32_t)get_below(at, UINT32_MAX, &bad);
	for (i = 0; i < n; i++)
		c->stream[i].head.form = (uint8_t)get_below(at, UINT8_MAX,
							    &bad);
	for (i = 0; i < n; i++)
		c->stream[i].head.width = (uint8_t)get_below(at, UINT8_MAX,
							     &bad);
	for (i = 0; i < n; i++)
		c->stream[i].head.base = get_varint(at, &bad);
	for (i = 0; i < n; i++)
		c->stream[i].len = get_below(at, SIZE_MAX, &bad);
	return bad ? -EBADMSG : 0;
}

static int get_head(struct columns *c, struct cursor *at)
{
	uint64_t *number = (uint64_t *)&c->head;
	bool bad = false;
	uint32_t i;
	int err = 0;

	for (i = 0; i < HEAD_NUMBERS; i++)
		number[i] = get_varint(at, &bad);
	if (bad || !is_sane(&c->head))
		return -EBADMSG;
	for (i = 0; i < c->head.parts && !err; i++)
		err = get_part(c, &c->part[i], at);
	if (!err)
		err = get_streams(c, at);
	if (!err && !place_streams(c))
		err = -EBADMSG;
	return err;
}

/* Streams follow each other to the end, or to what we do not know. */
static int find_streams(struct columns *c, size_t at)
{
	uint32_t i;

	for (i = 0; i < c->stream_count; i++) {
		c->stream[i].at = at;
		if (c->stream[i].len > c->payload_len - at)
			return -EBADMSG;
		at += c->stream[i].len;
	}
	return 0;
}

static int unpack_head(struct columns *c, struct cursor *at)
{
	struct cursor head;
	bool bad = false;
	uint64_t len;
	uint8_t *raw;
	int err;

	len = get_varint(at, &bad);
	if (bad || len > HEAD_MAX)
		return -EBADMSG;
	raw = pool_alloc(&c->block, len, 1);
	if (!raw)
		return -ENOMEM;
	err = chunk_get(&c->packer, at, raw, len);
	if (err)
		return err;
	head = (struct cursor){raw, raw + len};
	err = get_head(c, &head);
	return err ? err : find_streams(c, (size_t)(at->at - c->payload));
}

int columns_open(struct columns *c, const void *payload, size_t len)
{
	struct cursor at = {payload, (const uint8_t *)payload + len};
	int err;

	pool_reset(&c->block);
	pool_reset(&c->group);
	c->view = (struct row_view){0};
	c->head = (struct block_head){0};
	c->context = (struct context){0};
	c->stream_count = 0;
	c->group_count = 0;
	c->known = 0;
	c->keep = false;
	c->at_group = NULL;
	c->payload = payload;
	c->payload_len = len;
	if (!len)
		return -EBADMSG;
	if (*at.at++ != COLUMNS_VERSION)
		return -EPROTONOSUPPORT;
	err = unpack_head(c, &at);
	if (err)
		c->head = (struct block_head){0};
	return err;
}

/* ---- what the head tells ------------------------------------------------- */

uint32_t columns_rows(const struct columns *c)
{
	return (uint32_t)c->head.rows;
}

const struct part *read_part(const struct columns *c, unsigned kind)
{
	uint32_t i;

	for (i = 0; i < c->head.parts; i++)
		if (c->part[i].kind == kind)
			return &c->part[i];
	return NULL;
}

uint32_t columns_kind_rows(const struct columns *c, unsigned kind)
{
	const struct part *p = read_part(c, kind);

	return p ? p->rows : 0;
}

uint32_t columns_group(const struct columns *c, unsigned kind, uint32_t i,
		       struct columns_group *ret)
{
	const struct part *p = read_part(c, kind);

	if (!p)
		return 0;
	if (i < p->group_count)
		*ret = (struct columns_group){
			.key = p->group[i].key,
			.rows = p->group[i].rows,
			.is_rest = i + 1 == p->group_count,
		};
	return p->group_count;
}
