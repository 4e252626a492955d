// SPDX-License-Identifier: BSD-2-Clause
#include "archive_put.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "clock.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1"
#endif

#define FRAME_ROOM     1024 /* bytes: what a small frame needs beside its data */
#define CLOCK_NOISE_NS (10 * (int64_t)NS_PER_US)

/* ---- frames ------------------------------------------------------------ */

/*
 * What is to go next may not be published yet, where the disk is slow; after
 * that whatever is older than this segment is done with.
 */
static bool retire(struct archive_put *p)
{
	struct archive_retain *r = &p->retain;

	if (archive_retain_remove(r))
		return true;
	if (!archive_retain_limits(r) || r->dead + 1 >= p->head.number)
		return false;
	archive_sync_wait(p->sync);
	r->dead = p->head.number - 1;
	archive_retain_look(r, p->dir.fd, p->head.number);
	return archive_retain_remove(r);
}

/* The disk is full, or the quota: who keeps only so much can make room. */
static bool make_room(struct archive_put *p, int err)
{
	return (err == -ENOSPC || err == -EDQUOT) && retire(p);
}

/* Before a frame of so many bytes is put: room for it, with what is allocated
 * ahead. */
static void keep_limit(struct archive_put *p, uint64_t len)
{
	uint64_t bytes = segment_would_take(p->segment, len);

	while (!archive_retain_fits(&p->retain, bytes))
		if (!retire(p))
			return;
}

/* What keeps one from being begun. */
static int no_segment(const struct archive_put *p)
{
	return p->stats.error ? p->stats.error : -EIO;
}

static int put_bytes(struct archive_put *p, struct frame *f, struct buf *bytes)
{
	size_t len = bytes->len;
	int err;

	if (!p->segment)
		return no_segment(p);
	keep_limit(p, len);
	do {
		bytes->len = len; /* segment_put() pads it */
		err = segment_put(p->segment, f, bytes);
	} while (make_room(p, err));
	return err;
}

static int put(struct archive_put *p, struct frame *f)
{
	return put_bytes(p, f, &p->frame);
}

static int put_meta(struct archive_put *p)
{
	struct frame f = {.type = FRAME_META};

	segment_frame(&p->frame);
	buf_put(&p->frame, p->meta.data, p->meta.len);
	return put(p, &f);
}

int archive_put_note(struct archive_put *p, const struct buf *pairs)
{
	buf_put(&p->meta, pairs->data, pairs->len);
	if (buf_err(&p->meta) || buf_err(pairs))
		return -ENOMEM;
	return p->segment ? put_meta(p) : 0;
}

static int put_packed(struct archive_put *p, struct frame *f,
		      const struct buf *bytes)
{
	int err = buf_err(bytes);

	segment_frame(&p->frame);
	if (!err)
		err = block_pack(p->codec, bytes->data, bytes->len, f,
				 &p->frame);
	return err ? err : put(p, f);
}

static int put_schema(struct archive_put *p)
{
	struct frame f = {.type = FRAME_SCHEMA};

	return put_packed(p, &f, &p->schema);
}

/*
 * No two readings are quite the same. What differs by no more than that is one
 * clock: the start of a task, half of its identity, is to be the same instant
 * in each segment.
 */
static int64_t wall_offset(struct archive_put *p)
{
	int64_t now = clock_wall_offset();

	if (llabs(now - p->wall_offset) > CLOCK_NOISE_NS)
		p->wall_offset = now;
	return p->wall_offset;
}

int archive_put_clock(struct archive_put *p)
{
	struct frame f = {.type = FRAME_CLOCK};
	int64_t wall = wall_offset(p);
	struct segment_clock c = {.monotonic = clock_now()};
	uint64_t realtime = clock_read(CLOCK_REALTIME);

	c.realtime = c.monotonic + (uint64_t)wall;
	c.boottime = clock_read(CLOCK_BOOTTIME);
	c.tai = clock_read(CLOCK_TAI) - realtime + c.realtime;
	f.first_ns = f.last_ns = c.monotonic;
	segment_frame(&p->frame);
	segment_put_clock(&p->frame, &c);
	return put(p, &f);
}

/* Into @p->rows, less what has been lost since it was made. */
static int make_rows(struct archive_put *p, const struct archive_account *a,
		     uint32_t flags)
{
	const struct account_row *rows = (const void *)a->rows->data;
	size_t count = a->rows->len / sizeof(*rows);
	int err = buf_err(a->rows);

	if (!err)
		err = buf_err(a->known);
	if (err)
		return err;
	losses_known(&p->losses, a->known);
	err = losses_account(&p->losses, &rows, &count, a->blind);
	if (err)
		return err;
	buf_reset(&p->rows);
	segment_put_account(&p->rows, rows, count,
			    flags | (a->blind ? LOSS_BLIND : 0));
	return buf_err(&p->rows);
}

int archive_put_account(struct archive_put *p, const struct archive_account *a,
			uint32_t flags)
{
	struct frame f = {.type = FRAME_LOSS};
	int err = make_rows(p, a, flags);

	if (err)
		return err;
	f.first_ns = f.last_ns = clock_now();
	if (p->segment)
		p->segment->spare = (uint32_t)(2 * FRAME_ROOM + p->rows.len +
					       p->schema.len);
	return put_packed(p, &f, &p->rows);
}

/* ---- segments ---------------------------------------------------------- */

static int put_head(struct archive_put *p, const struct archive_account *a)
{
	int err;

	err = put_meta(p);
	if (!err)
		err = put_schema(p);
	if (!err)
		err = archive_put_clock(p);
	if (!err)
		err = archive_put_account(p, a, LOSS_BEGIN);
	return err;
}

/* The directory may have been removed; then a new one takes its place, which
 * somebody may have recorded into meanwhile. */
static int find_dir(struct archive_put *p)
{
	struct archive_dir d;
	int err;

	if (!archive_dir_is_gone(&p->dir))
		return 0;
	err = archive_dir_create(&d, p->path, true);
	if (err)
		return err;
	archive_dir_done(&p->dir);
	archive_retain_done(&p->retain);
	p->dir = d;
	if (p->head.number < d.last_number)
		p->head.number = p->retain.dead = d.last_number;
	return 0;
}

static void discard(struct archive_put *p)
{
	segment_discard(p->segment);
	p->segment = NULL;
	p->head.number--;
}

static int begin_segment(struct archive_put *p, const struct archive_account *a)
{
	int err;

	err = find_dir(p);
	if (err)
		return err;
	p->head.monotonic = clock_now();
	p->head.realtime = p->head.monotonic + (uint64_t)wall_offset(p);
	p->head.number++;
	p->is_full = false;
	archive_retain_look(&p->retain, p->dir.fd, p->head.number);
	archive_retain_enforce(&p->retain, SEGMENT_STEP);
	do {
		err = segment_create(&p->segment, p->dir.fd, &p->head);
	} while (make_room(p, err));
	if (err) {
		p->head.number--;
		return err;
	}
	err = put_head(p, a);
	if (err) {
		discard(p);
		return err;
	}
	archive_sync_begin(p->sync, p->segment);
	p->stats.segments++;
	return 0;
}

/* Hand the segment over, whatever became of it. */
static void end_segment(struct archive_put *p)
{
	p->ended_bytes += p->segment->size;
	archive_sync_end(p->sync, p->segment);
	p->segment = NULL;
}

static int seal_segment(struct archive_put *p, const struct archive_account *a,
			uint32_t flags)
{
	int err;

	p->segment->sealing = true;
	err = archive_put_account(p, a, flags);
	if (!err)
		err = put_schema(p);
	if (!err)
		err = segment_seal(p->segment, &p->frame);
	end_segment(p);
	return err;
}

int archive_put_segment(struct archive_put *p, const struct archive_account *a)
{
	int err = 0, err2;

	if (p->segment)
		err = seal_segment(p, a, 0);
	err2 = begin_segment(p, a);
	if (err2)
		p->stats.error = err2;
	else if (err)
		p->stats.error = err;
	return err2;
}

int archive_put_seal(struct archive_put *p, const struct archive_account *a)
{
	return p->segment ? seal_segment(p, a, LOSS_END) : no_segment(p);
}

/* ---- blocks ------------------------------------------------------------- */

bool archive_put_is_over(const struct archive_put *p)
{
	return !p->segment || p->is_full;
}

static void put_failed(struct archive_put *p, int err)
{
	p->stats.error = err;
	if (err == -EFBIG)
		p->is_full = true;
	if (err == -ENOENT && p->segment)
		end_segment(p);
}

int archive_put_block(struct archive_put *p, struct frame *f,
		      struct buf *packed)
{
	int err = buf_err(packed);

	if (!err)
		err = put_bytes(p, f, packed);
	if (err)
		put_failed(p, err);
	else if (f->type == FRAME_BLOCK)
		p->stats.error = 0;
	return err;
}

int archive_put_resume(struct archive_put *p, const struct archive_account *a,
		       const struct buf *data, const struct block *b)
{
	struct frame f = {.type = FRAME_RESUME, .events = b->events};
	int err = buf_err(data);

	if (!err)
		err = make_rows(p, a, 0);
	if (err)
		return err;
	f.first_ns = f.last_ns = clock_now();
	buf_put(&p->rows, data->data, data->len);
	err = put_packed(p, &f, &p->rows);
	if (err)
		put_failed(p, err);
	return err;
}

/* ---- beginning and end -------------------------------------------------- */

static void read_boot_id(char text[40], uint8_t id[16])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned i, at = 0;

	text[0] = '\0';
	if (!f)
		return;
	if (!fgets(text, 40, f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	for (i = 0; i < 16 && text[at]; i++) {
		at += text[at] == '-';
		if (sscanf(text + at, "%2hhx", &id[i]) != 1)
			return;
		at += 2;
	}
}

static int describe(struct archive_put *p, const struct schema *schema,
		    const struct archive_options *o)
{
	struct utsname u = {0};
	char boot_id[40];

	read_boot_id(boot_id, p->head.boot_id);
	uname(&u);
	segment_put_meta(&p->meta, "host", u.nodename);
	segment_put_meta(&p->meta, "kernel", u.release);
	segment_put_meta(&p->meta, "build", u.version);
	segment_put_meta(&p->meta, "machine", u.machine);
	segment_put_meta(&p->meta, "boot_id", boot_id);
	segment_put_meta(&p->meta, "version", WEIR_VERSION);
	if (o->command)
		segment_put_meta(&p->meta, "command", o->command);
	if (o->asked && o->asked[0])
		segment_put_meta(&p->meta, "asked", o->asked);
	schema_encode(schema, &p->schema);
	return buf_err(&p->meta) ? buf_err(&p->meta) : buf_err(&p->schema);
}

static int open_codec(struct archive_put *p, const struct schema *schema)
{
	int err = block_codec_new(&p->codec);

	return err ? err : block_codec_schema(p->codec, schema);
}

static int prepare(struct archive_put *p, const struct schema *schema,
		   const struct archive_options *o)
{
	int err;

	p->path = strdup(o->path);
	if (!p->path)
		return -ENOMEM;
	p->head.run = o->run;
	if (!o->run && getrandom(&p->head.run, sizeof(p->head.run), 0) < 0)
		p->head.run = clock_now();
	p->retain.max_bytes = o->keep_bytes;
	p->retain.max_ns = o->keep_ns;
	err = losses_init(&p->losses, schema);
	if (!err)
		err = describe(p, schema, o);
	return err ? err : open_codec(p, schema);
}

int archive_put_open(struct archive_put *p, const struct schema *schema,
		     const struct archive_options *o)
{
	int err;

	*p = (struct archive_put){.dir = {.fd = -1, .lock_fd = -1}};
	if (o->dir)
		p->dir = *o->dir;
	err = prepare(p, schema, o);
	if (!err && !o->dir)
		err = archive_dir_create(&p->dir, p->path, o->exist_ok);
	if (err)
		return err;
	p->head.number = p->retain.dead = p->dir.last_number;
	p->retain.kept = o->marked ? p->dir.last_number : 0;
	if (o->needed && o->needed < p->retain.kept)
		p->retain.kept = o->needed;
	p->head.run_realtime = o->run ? o->run_realtime
				      : clock_read(CLOCK_REALTIME);
	return archive_sync_start(&p->sync);
}

void archive_put_give_up(struct archive_put *p)
{
	archive_sync_stop(p->sync); /* or it would sync what is gone */
	p->sync = NULL;
	if (p->segment)
		discard(p);
}

int archive_put_done(struct archive_put *p)
{
	int err;

	if (p->segment)
		end_segment(p);
	err = archive_sync_stop(p->sync);
	archive_dir_done(&p->dir);
	archive_retain_done(&p->retain);
	block_codec_free(p->codec);
	buf_done(&p->frame);
	buf_done(&p->rows);
	buf_done(&p->meta);
	buf_done(&p->schema);
	losses_done(&p->losses);
	free(p->path);
	return err;
}
