// SPDX-License-Identifier: BSD-2-Clause
#include "archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "archive_dir.h"
#include "archive_sync.h"
#include "block.h"
#include "clock.h"
#include "losses.h"
#include "segment.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1"
#endif

#define SEGMENT_BYTES (256ULL << 20)
#define SEGMENT_NS    (15 * 60 * NS_PER_S)
#define BLOCK_NS      NS_PER_S	      /* a block is written after so long */
#define TELL_NS	      (10 * NS_PER_S) /* LOSS and CLOCK come so often */
#define FRAME_ROOM    1024 /* bytes: what a small frame needs beside its data */
#define CLOCK_STEP_NS ((int64_t)NS_PER_MS)

struct archive_writer {
	const struct schema *schema;
	struct archive_options o;
	char *path;
	struct archive_dir dir;
	struct archive_sync *sync;
	struct segment *segment; /* NULL: none could be begun */
	struct segment_head head;
	struct block block; /* inside options.state: of its records */
	struct block_codec *codec;
	struct buf frame, account;
	struct buf meta, schema_bytes; /* the same in all segments */
	uint64_t begun_ns, told_ns;
	int64_t wall_offset;
	bool in_state;
	int state_error;
	bool state_due; /* events were lost: the state must follow */
	struct losses losses;
	struct archive_stats stats;
	uint64_t ended_bytes; /* of segments done with */
};

/* ---- frames ------------------------------------------------------------ */

static int put(struct archive_writer *w, struct frame *f)
{
	return segment_put(w->segment, f, &w->frame);
}

static int put_meta(struct archive_writer *w)
{
	struct frame f = {.type = FRAME_META};

	segment_frame(&w->frame);
	buf_put(&w->frame, w->meta.data, w->meta.len);
	return put(w, &f);
}

static int put_packed(struct archive_writer *w, struct frame *f,
		      const struct buf *bytes)
{
	int err = buf_err(bytes);

	segment_frame(&w->frame);
	if (!err)
		err = block_pack(w->codec, bytes->data, bytes->len, f,
				 &w->frame);
	return err ? err : put(w, f);
}

static int put_schema(struct archive_writer *w)
{
	struct frame f = {.type = FRAME_SCHEMA};

	return put_packed(w, &f, &w->schema_bytes);
}

static int put_clock(struct archive_writer *w)
{
	struct frame f = {.type = FRAME_CLOCK};
	int64_t wall = clock_wall_offset();
	struct segment_clock c = {.monotonic = clock_now()};
	uint64_t realtime = clock_read(CLOCK_REALTIME);

	c.realtime = c.monotonic + (uint64_t)wall;
	c.boottime = clock_read(CLOCK_BOOTTIME);
	c.tai = clock_read(CLOCK_TAI) - realtime + c.realtime;
	f.first_ns = f.last_ns = c.monotonic;
	w->wall_offset = wall;
	segment_frame(&w->frame);
	segment_put_clock(&w->frame, &c);
	return put(w, &f);
}

static int put_account(struct archive_writer *w, uint32_t flags)
{
	const struct account_row *rows = NULL;
	struct frame f = {.type = FRAME_LOSS};
	size_t count = 0;
	int err;

	if (w->o.account)
		count = w->o.account(w->o.arg, &rows);
	else
		flags |= LOSS_BLIND;
	err = losses_account(&w->losses, &rows, &count);
	if (err)
		return err;
	f.first_ns = f.last_ns = w->told_ns = clock_now();
	buf_reset(&w->account);
	segment_put_account(&w->account, rows, count, flags);
	w->segment->spare = (uint32_t)(2 * FRAME_ROOM + w->account.len +
				       w->schema_bytes.len);
	return put_packed(w, &f, &w->account);
}

static int put_block(struct archive_writer *w, enum frame_type type)
{
	struct frame f = {.type = type};
	int err;

	segment_frame(&w->frame);
	err = block_encode(w->codec, &w->block, &f, &w->frame);
	return err ? err : put(w, &f);
}

/* ---- state ------------------------------------------------------------- */

int archive_state(struct archive_writer *w, const void *record, size_t len)
{
	const struct weir_hdr *h = record;

	if (!w->in_state || len < sizeof(*h) || h->len != len)
		return -EINVAL;
	block_add(&w->block, h);
	if (block_is_full(&w->block) && !w->state_error) {
		w->state_error = put_block(w, FRAME_STATE);
		block_reset(&w->block);
	}
	return w->state_error;
}

/* Between two events, the block empty. */
static int put_state(struct archive_writer *w)
{
	int err = 0;

	w->state_due = false;
	if (!w->o.state)
		return 0;
	w->in_state = true;
	w->state_error = 0;
	w->state_due = w->o.state(w->o.arg, w) != 0;
	w->in_state = false;
	err = w->state_error;
	if (!err && w->block.events)
		err = put_block(w, FRAME_STATE);
	block_reset(&w->block);
	if (err)
		w->state_due = true;
	return err;
}

/* ---- segments ---------------------------------------------------------- */

static int put_head(struct archive_writer *w)
{
	int err;

	err = put_meta(w);
	if (!err)
		err = put_schema(w);
	if (!err)
		err = put_clock(w);
	if (!err)
		err = put_account(w, LOSS_BEGIN);
	if (!err)
		err = put_state(w);
	return err;
}

/* The directory may have been removed; then a new one takes its place. */
static int find_dir(struct archive_writer *w)
{
	struct archive_dir d;
	int err;

	if (!archive_dir_is_gone(&w->dir))
		return 0;
	err = archive_dir_create(&d, w->path, true);
	if (err)
		return err;
	archive_dir_done(&w->dir);
	w->dir = d;
	return 0;
}

/* The block must be empty: the state is that after the last event. */
static int begin_segment(struct archive_writer *w)
{
	int err;

	err = find_dir(w);
	if (err)
		return err;
	w->begun_ns = w->head.monotonic = clock_now();
	w->head.realtime = w->begun_ns + (uint64_t)clock_wall_offset();
	w->head.number++;
	err = segment_create(&w->segment, w->dir.fd, &w->head);
	if (!err)
		err = put_head(w);
	if (err) {
		segment_discard(w->segment);
		w->segment = NULL;
		w->head.number--;
		return err;
	}
	archive_sync_begin(w->sync, w->segment);
	w->stats.segments++;
	return 0;
}

/* Hand the segment over, whatever became of it. */
static void end_segment(struct archive_writer *w)
{
	w->ended_bytes += w->segment->size;
	archive_sync_end(w->sync, w->segment);
	w->segment = NULL;
}

static int seal_segment(struct archive_writer *w, uint32_t flags)
{
	int err;

	w->segment->sealing = true;
	err = put_account(w, flags);
	if (!err)
		err = put_schema(w);
	if (!err)
		err = segment_seal(w->segment, &w->frame);
	end_segment(w);
	return err;
}

/* ---- events ------------------------------------------------------------ */

static void block_was_lost(struct archive_writer *w, int err)
{
	losses_count(&w->losses, &w->block);
	w->stats.error = err;
	w->state_due = true;
	if (!w->segment)
		return;
	if (err == -EFBIG)
		seal_segment(w, 0);
	else if (err == -ENOENT)
		end_segment(w);
}

int archive_flush(struct archive_writer *w)
{
	int err = -EIO;

	if (!w->block.events)
		return 0;
	if (w->segment)
		err = put_block(w, FRAME_BLOCK);
	else if (w->stats.error)
		err = w->stats.error;
	if (err)
		block_was_lost(w, err);
	else
		w->stats.error = 0;
	block_reset(&w->block);
	return err;
}

static bool must_rotate(const struct archive_writer *w, uint64_t now)
{
	return w->segment->size >= w->o.segment_bytes ||
	       (int64_t)(now - w->begun_ns) >= (int64_t)w->o.segment_ns;
}

static bool must_tell(const struct archive_writer *w, uint64_t now)
{
	return (int64_t)(now - w->told_ns) >= (int64_t)TELL_NS;
}

static bool clock_stepped(const struct archive_writer *w)
{
	int64_t wall = (int64_t)(clock_read(CLOCK_REALTIME) - clock_now());

	return llabs(wall - w->wall_offset) > CLOCK_STEP_NS;
}

static int rotate(struct archive_writer *w)
{
	int err = seal_segment(w, 0), err2 = begin_segment(w);

	return err2 ? err2 : err;
}

static int tell(struct archive_writer *w)
{
	int err = put_clock(w);

	if (!err)
		err = put_account(w, 0);
	if (!err && w->state_due)
		err = put_state(w);
	return err;
}

/* What comes between two events, the block being empty. */
static int keep_up(struct archive_writer *w, uint64_t now)
{
	if (!w->segment)
		return begin_segment(w);
	if (must_rotate(w, now))
		return rotate(w);
	if (must_tell(w, now) || w->state_due)
		return tell(w);
	return clock_stepped(w) ? put_clock(w) : 0;
}

static int settle(struct archive_writer *w, uint64_t now)
{
	int err = archive_flush(w), err2 = keep_up(w, now);

	if (!err2)
		err2 = archive_sync_error(w->sync);
	if (err2)
		w->stats.error = err2;
	return err ? err : err2;
}

int archive_append(struct archive_writer *w, const struct event *ev)
{
	struct block *b = &w->block;

	block_add(b, ev->h);
	w->stats.events++;
	if (!block_is_full(b) && b->last_ns - b->first_ns < BLOCK_NS)
		return 0;
	return settle(w, clock_now());
}

int archive_tick(struct archive_writer *w, uint64_t mono_ns)
{
	bool due;

	if (w->block.events)
		due = (int64_t)(mono_ns - w->block.first_ns) >=
		      (int64_t)BLOCK_NS;
	else
		due = !w->segment || w->state_due;
	if (w->segment)
		due |= must_tell(w, mono_ns) || must_rotate(w, mono_ns);
	return due ? settle(w, mono_ns) : 0;
}

void archive_lost(struct archive_writer *w,
		  void (*fn)(void *arg, const char *source, uint32_t cpu,
			     uint64_t count, uint64_t first, uint64_t last),
		  void *arg)
{
	losses_tell(&w->losses, fn, arg);
}

void archive_writer_stats(const struct archive_writer *w,
			  struct archive_stats *ret)
{
	*ret = w->stats;
	ret->bytes = w->ended_bytes + (w->segment ? w->segment->size : 0);
}

/* ---- beginning and end ------------------------------------------------- */

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

static int describe(struct archive_writer *w)
{
	struct utsname u = {0};
	char boot_id[40];

	read_boot_id(boot_id, w->head.boot_id);
	uname(&u);
	segment_put_meta(&w->meta, "host", u.nodename);
	segment_put_meta(&w->meta, "kernel", u.release);
	segment_put_meta(&w->meta, "build", u.version);
	segment_put_meta(&w->meta, "machine", u.machine);
	segment_put_meta(&w->meta, "boot_id", boot_id);
	segment_put_meta(&w->meta, "version", WEIR_VERSION);
	if (w->o.command)
		segment_put_meta(&w->meta, "command", w->o.command);
	schema_encode(w->schema, &w->schema_bytes);
	return buf_err(&w->meta) ? buf_err(&w->meta)
				 : buf_err(&w->schema_bytes);
}

static int prepare(struct archive_writer *w, const struct schema *schema,
		   const struct archive_options *opts)
{
	int err;

	w->schema = schema;
	w->o = *opts;
	w->o.segment_bytes = opts->segment_bytes ? opts->segment_bytes
						 : SEGMENT_BYTES;
	w->o.segment_ns = opts->segment_ns ? opts->segment_ns : SEGMENT_NS;
	w->path = strdup(opts->path);
	if (!w->path)
		return -ENOMEM;
	if (getrandom(&w->head.run, sizeof(w->head.run), 0) < 0)
		w->head.run = clock_now();
	err = losses_init(&w->losses, schema);
	if (!err)
		err = describe(w);
	if (!err)
		err = block_init(&w->block);
	return err ? err : block_codec_new(&w->codec);
}

static int start(struct archive_writer *w)
{
	int err = 0;

	if (!w->o.dir)
		err = archive_dir_create(&w->dir, w->path, w->o.exist_ok);
	if (err)
		return err;
	w->head.number = w->dir.last_number;
	w->head.run_realtime = clock_read(CLOCK_REALTIME);
	err = archive_sync_start(&w->sync);
	return err ? err : begin_segment(w);
}

static void writer_free(struct archive_writer *w)
{
	archive_dir_done(&w->dir);
	block_done(&w->block);
	block_codec_free(w->codec);
	buf_done(&w->frame);
	buf_done(&w->account);
	buf_done(&w->meta);
	buf_done(&w->schema_bytes);
	losses_done(&w->losses);
	free(w->path);
	free(w);
}

int archive_create(struct archive_writer **ret, const struct schema *schema,
		   const struct archive_options *opts)
{
	struct archive_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->dir = (struct archive_dir){.fd = -1, .lock_fd = -1};
	if (opts->dir)
		w->dir = *opts->dir;
	err = prepare(w, schema, opts);
	if (!err)
		err = start(w);
	if (err) {
		archive_sync_stop(w->sync);
		writer_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

int archive_close(struct archive_writer *w)
{
	int err, err2 = 0, err3;

	if (!w)
		return 0;
	err = archive_flush(w);
	if (!w->segment)
		err2 = begin_segment(w);
	if (!err2)
		err2 = seal_segment(w, LOSS_END);
	err3 = archive_sync_stop(w->sync);
	writer_free(w);
	if (err || err2)
		return err ? err : err2;
	return err3;
}
