// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "archive_list.h"
#include "block.h"
#include "progress.h"
#include "verify_account.h"
#include "verify_say.h"
#include "verify_small.h"

struct verify {
	struct verify_report *r;
	struct verify_say say;
	struct archive_list list;
	struct block_codec *codec;
	struct buf payload, bytes;
	struct block block;
	/* of the run */
	uint64_t high_ns;   /* latest time stamp so far, late ones aside */
	uint64_t told_lost; /* by the last account */
	uint64_t gap_lost;  /* by the gap events */
	bool ended; /* the recorder said so, or that it did not is told */
	/* of the segment */
	struct schema *schema; /* or that of an earlier one, or NULL */
	struct bound gap_count;
	struct verify_account account;
	struct verify_small small;
	bool goes_on;		     /* where the one before was cut off */
	struct segment_frames index; /* from INDEX, or by walking */
	size_t index_at;	     /* entries whose frames have come */
	uint32_t next_seq;
	bool hole;	     /* damage since the last frame */
	bool events_missing; /* damage since the last LOSS frame */
	uint64_t loss_offset;
};

static bool has_events(const struct frame *f)
{
	return f->type == FRAME_BLOCK || f->type == FRAME_STATE;
}

/* ---- damage ------------------------------------------------------------ */

static void damage(struct verify *v, const struct frame *f)
{
	v->r->damaged++;
	if (f->type != FRAME_BLOCK)
		return;
	v->r->missing += f->events;
	v->events_missing = true;
}

static void bad_frame(struct verify *v, const struct frame *f, const char *what)
{
	damage(v, f);
	verify_say_begin(&v->say, f->offset);
	buf_printf(&v->say.line, "%s: ", what);
	verify_say_cost(&v->say, f);
	verify_say_end(&v->say);
}

/* The index, where there is one, says what the lost bytes were. */
static void bad_bytes(struct verify *v, const struct segment_damage *d)
{
	unsigned known = 0;
	size_t i;

	for (i = 0; i < v->index.count; i++) {
		const struct frame *f = &v->index.frame[i];

		if (f->offset < d->offset || f->offset >= d->offset + d->bytes)
			continue;
		bad_frame(v, f, "damaged header");
		known++;
	}
	v->hole = true;
	v->events_missing = true;
	if (known)
		return;
	v->r->damaged++;
	verify_say(&v->say, d->offset, "%" PRIu64 " bytes are no frame",
		   d->bytes);
}

/* ---- events ------------------------------------------------------------ */

static int check_event(struct verify *v, const struct weir_hdr *h,
		       uint64_t *disorder)
{
	struct event ev;

	if (event_init(&ev, v->schema, h, h->len))
		return -EBADMSG;
	if (h->ts < v->high_ns && !(h->flags & WEIR_F_LATE))
		++*disorder;
	if (h->ts > v->high_ns && !(h->flags & WEIR_F_LATE))
		v->high_ns = h->ts;
	v->gap_lost += bound_u64(&v->gap_count, &ev, 0);
	return verify_account_event(&v->account, h);
}

/* What the header says of the rows is what a reader skips blocks by. */
static bool header_fits(const struct frame *f, const struct block *seen)
{
	return f->events == seen->events &&
	       (!seen->events || (f->first_ns == seen->first_ns &&
				  f->last_ns == seen->last_ns)) &&
	       (seen->kinds & ~f->kinds) == 0;
}

static void note_row(struct block *seen, const struct weir_hdr *h)
{
	if (!seen->events++)
		seen->first_ns = seen->last_ns = h->ts;
	if (h->ts < seen->first_ns)
		seen->first_ns = h->ts;
	if (h->ts > seen->last_ns)
		seen->last_ns = h->ts;
	seen->kinds |= frame_kind_bit(h->kind);
}

static void say_count(struct verify *v, const struct frame *f, uint64_t n,
		      const char *what)
{
	verify_say_begin(&v->say, f->offset);
	buf_printf(&v->say.line, "%" PRIu64 " %s in ", n, what);
	verify_say_cost(&v->say, f);
	verify_say_end(&v->say);
}

/* Records of STATE are stamped when they are made, and in no account. */
static int check_rows(struct verify *v, const struct frame *f)
{
	uint64_t malformed = 0, disorder = 0;
	struct block seen = {0};
	const struct weir_hdr *h;
	struct event ev;
	size_t at = 0;
	int err;

	while ((h = block_next(&v->block, &at))) {
		note_row(&seen, h);
		if (f->type == FRAME_BLOCK)
			err = check_event(v, h, &disorder);
		else
			err = event_init(&ev, v->schema, h, h->len);
		if (err == -ENOMEM)
			return err;
		malformed += err != 0;
	}
	if (f->type == FRAME_BLOCK)
		v->r->events += seen.events;
	v->r->damaged += malformed;
	v->events_missing |= malformed != 0;
	v->r->disorder += disorder;
	if (malformed)
		say_count(v, f, malformed, "malformed records");
	if (disorder)
		say_count(v, f, disorder, "events out of order");
	if (at != v->block.rows.len || !header_fits(f, &seen))
		bad_frame(v, f, "header and records do not agree");
	return 0;
}

static int check_block(struct verify *v, const struct frame *f)
{
	int err;

	v->r->blocks += f->type == FRAME_BLOCK;
	if (!v->schema) {
		bad_frame(v, f, "no schema to read it by");
		return 0;
	}
	err = block_decode(v->codec, f, &v->payload, &v->block);
	if (!err)
		return check_rows(v, f);
	if (err == -EBADMSG) {
		bad_frame(v, f, "does not decode");
		return 0;
	}
	return err;
}

/* ---- the account ------------------------------------------------------- */

static void unaccounted(void *arg, const struct account_row *r,
			const char *what, uint64_t missing)
{
	struct verify *v = arg;

	struct buf *line = &v->say.line;

	verify_say_begin(&v->say, v->loss_offset);
	buf_printf(line, "source %.15s, ", r->source);
	if (r->cpu == ACCOUNT_ANY_CPU)
		buf_puts(line, "any cpu: ");
	else
		buf_printf(line, "cpu %u: ", r->cpu);
	if (missing)
		buf_printf(line, "%" PRIu64 " ", missing);
	buf_puts(line, what);
	if (missing && v->events_missing)
		buf_puts(line, ", in what is damaged");
	else
		v->r->unaccounted++;
	verify_say_end(&v->say);
}

static uint64_t lost_in(const struct account_row *rows, size_t count)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += account_lost(&rows[i]) + rows[i].missed;
	return sum;
}

static int check_loss(struct verify *v, const struct frame *f)
{
	struct account_row *rows;
	uint32_t flags;
	size_t count;
	int err;

	err = block_unpack(v->codec, f, &v->payload, &v->bytes);
	if (!err)
		err = segment_get_account(&v->bytes, &rows, &count, &flags);
	if (err == -EBADMSG)
		bad_frame(v, f, "does not decode");
	if (err)
		return err == -EBADMSG ? 0 : err;
	v->told_lost = lost_in(rows, count);
	v->ended = flags & LOSS_END;
	v->loss_offset = f->offset;
	if (v->schema)
		err = verify_account_loss(&v->account, rows, count, flags,
					  unaccounted, v);
	else
		free(rows);
	v->events_missing = false;
	return err;
}

/* ---- frames ------------------------------------------------------------ */

static void check_seq(struct verify *v, const struct frame *f)
{
	if (f->seq != v->next_seq && !v->hole) {
		v->r->damaged++;
		v->events_missing = true;
		verify_say(&v->say, f->offset, "frame %u where %u is due",
			   f->seq, v->next_seq);
	}
	v->next_seq = f->seq + 1;
	v->hole = false;
}

static bool is_same(const struct frame *a, const struct frame *b)
{
	return a->offset == b->offset && a->type == b->type &&
	       a->flags == b->flags && a->encoding == b->encoding &&
	       a->first_ns == b->first_ns && a->last_ns == b->last_ns &&
	       a->kinds == b->kinds && a->events == b->events &&
	       a->raw_len == b->raw_len && a->payload_len == b->payload_len &&
	       a->payload_crc == b->payload_crc && a->seq == b->seq;
}

/* The index is what readers go by. */
static void check_index(struct verify *v, const struct frame *f)
{
	const struct segment_frames *x = &v->index;

	if (f->type == FRAME_INDEX || f->type == FRAME_TRAILER)
		return;
	while (v->index_at < x->count &&
	       x->frame[v->index_at].offset < f->offset)
		v->index_at++;
	if (v->index_at < x->count && is_same(&x->frame[v->index_at], f))
		return;
	v->r->damaged++;
	verify_say(&v->say, f->offset,
		   "the index says something else of this frame");
}

static int check_small(struct verify *v, const struct frame *f)
{
	const char *why;
	int err = verify_small(&v->small, v->codec, f, &v->payload, &why);

	if (err == -EBADMSG)
		bad_frame(v, f, why);
	return err == -EBADMSG ? 0 : err;
}

static int check_frame(struct verify *v, struct segment_reader *r,
		       const struct frame *f)
{
	int err;

	v->r->frames++;
	progress_add(frame_bytes(f));
	check_seq(v, f);
	check_index(v, f);
	err = segment_read(r, f, &v->payload);
	if (err)
		return err;
	if (has_events(f))
		return check_block(v, f);
	if (f->type == FRAME_LOSS)
		return check_loss(v, f);
	return check_small(v, f);
}

/* ---- segments ---------------------------------------------------------- */

/* Any SCHEMA frame of the segment that can be read, else the last one known. */
static int find_schema(struct verify *v, struct segment_reader *r)
{
	struct schema *s = NULL;
	size_t i;
	int err = 0;

	for (i = 0; i < v->index.count && !s && err != -ENOMEM; i++) {
		const struct frame *f = &v->index.frame[i];

		if (f->type != FRAME_SCHEMA)
			continue;
		err = segment_read(r, f, &v->payload);
		if (!err)
			err = block_unpack(v->codec, f, &v->payload, &v->bytes);
		if (!err)
			err = schema_decode(&s, v->bytes.data, v->bytes.len);
	}
	if (!s)
		return err == -EBADMSG ? 0 : err;
	schema_free(v->schema);
	v->schema = s;
	bound_init(&v->gap_count, s, "gap", "count");
	return block_codec_schema(v->codec, s);
}

/* Another recorder took over, or this one could write to it no more. */
static bool is_continued(const struct verify *v, size_t i)
{
	const struct archive_file *f = &v->list.file[i];

	return !f->sealed && i + 1 < v->list.count &&
	       archive_list_same_run(&v->list, i + 1) && f[1].head_known &&
	       f[1].head.number == f->head.number + 1;
}

/* Being written, cut off while it was, or shortened after it was sealed. */
static void check_end(struct verify *v, const struct segment_reader *r,
		      size_t i, uint64_t torn)
{
	v->ended = true;
	if (archive_list_is_live(&v->list, i)) {
		v->r->live++;
		return;
	}
	if (torn)
		verify_say(&v->say, r->size - torn,
			   "cut off in a frame, %" PRIu64
			   " bytes of it are there",
			   torn);
	v->r->torn_bytes += torn;
	if (is_continued(v, i)) {
		verify_say(&v->say, r->size,
			   "cut off; the next one goes on from there");
		return;
	}
	if (v->say.file->sealed) {
		v->r->damaged++;
		verify_say(&v->say, r->size,
			   "was sealed, but its end is missing");
		return;
	}
	v->r->unsealed++;
	verify_say(&v->say, r->size, "cut off: what came later is not known");
}

/* After a power cut the last write may be there in length, but not in data. */
static bool is_torn(const struct segment_reader *r, const struct frame *f)
{
	return r->pos >= r->size && f->type != FRAME_TRAILER;
}

static int walk(struct verify *v, struct segment_reader *r, size_t i)
{
	uint64_t torn = 0;
	bool sealed = v->index.sealed;
	struct frame f;
	int rc;

	while ((rc = segment_next(r, &f))) {
		if (rc == -EBADMSG) {
			bad_bytes(v, &r->damage);
			continue;
		}
		if (rc > 0)
			rc = check_frame(v, r, &f);
		if (rc == -EBADMSG && is_torn(r, &f))
			torn = frame_bytes(&f);
		else if (rc == -EBADMSG)
			bad_frame(v, &f, "wrong checksum");
		else if (rc < 0)
			return rc;
		sealed |= f.type == FRAME_TRAILER;
	}
	if (!sealed)
		check_end(v, r, i, torn + r->torn_bytes);
	return 0;
}

static int check_open_segment(struct verify *v, struct segment_reader *r,
			      size_t i)
{
	int err;

	err = segment_frames(r, &v->index);
	if (!err)
		err = find_schema(v, r);
	if (!err) {
		if (v->schema && v->goes_on)
			verify_account_continue(&v->account, v->schema);
		else if (v->schema)
			verify_account_begin(&v->account, v->schema);
		r->pos = r->torn_bytes = 0;
		v->index_at = 0;
		verify_small_begin(&v->small);
		err = walk(v, r, i);
	}
	segment_frames_done(&v->index);
	return err;
}

static int check_segment(struct verify *v, size_t i)
{
	struct segment_reader r;
	int err;

	v->say.file = &v->list.file[i];
	v->next_seq = 0;
	v->goes_on = i && is_continued(v, i - 1) && v->account.base_known;
	v->hole = false;
	v->events_missing &= v->goes_on;
	err = archive_list_segment(&v->list, i, &r);
	if (err == -ENOENT) {
		v->r->removed++;
		verify_say(&v->say, 0, "was removed before it could be read");
		return 0;
	}
	if (!err) {
		v->r->segments++;
		v->r->bytes += r.size;
		err = check_open_segment(v, &r, i);
		segment_done(&r);
	}
	return err;
}

/* ---- the archive ------------------------------------------------------- */

/* The segment before this one in its directory, by number; 0: none. */
static uint64_t number_before(const struct archive_list *l, size_t i)
{
	uint64_t best = 0;
	size_t j;

	for (j = 0; j < l->count; j++)
		if (l->file[j].dir == l->file[i].dir &&
		    l->file[j].head.number < l->file[i].head.number &&
		    l->file[j].head.number > best)
			best = l->file[j].head.number;
	return best;
}

static void check_number(struct verify *v, size_t i)
{
	const struct archive_file *f = &v->list.file[i];
	uint64_t before, gone;

	if (!f->whole_dir || !f->head.number)
		return;
	if (i && f[-1].dir == f->dir && f[-1].head.number + 1 == f->head.number)
		return;
	before = number_before(&v->list, i);
	gone = f->head.number - before - 1;
	if (!gone)
		return;
	v->r->removed += gone;
	v->r->damaged += before ? gone : 0;
	v->say.file = f;
	verify_say(&v->say, 0, "segments %" PRIu64 " to %" PRIu64 " %s",
		   before + 1, f->head.number - 1,
		   before ? "are missing"
			  : "were removed (retention takes the first ones)");
}

static bool is_last_of_run(const struct verify *v, size_t i)
{
	return i + 1 == v->list.count ||
	       !archive_list_same_run(&v->list, i + 1);
}

/* Killed between two segments, or nothing could be written any more. */
static void check_run_end(struct verify *v, size_t i)
{
	if (v->ended || !v->say.file->whole_dir)
		return;
	if (archive_list_is_live(&v->list, i)) {
		v->r->live++;
		return;
	}
	v->r->unsealed++;
	verify_say(
		&v->say, 0,
		"the last segment, but no end: what came later is not known");
}

static void end_run(struct verify *v)
{
	v->r->lost += v->told_lost > v->gap_lost ? v->told_lost : v->gap_lost;
	v->told_lost = v->gap_lost = v->high_ns = 0;
	v->ended = false;
}

static int check_all(struct verify *v)
{
	size_t i;
	int err = 0;

	for (i = 0; i < v->list.count && !err; i++) {
		check_number(v, i);
		err = check_segment(v, i);
		if (err || !is_last_of_run(v, i))
			continue;
		check_run_end(v, i);
		end_run(v);
	}
	return err;
}

static void verify_done(struct verify *v)
{
	archive_list_done(&v->list);
	block_codec_free(v->codec);
	block_done(&v->block);
	buf_done(&v->payload);
	buf_done(&v->bytes);
	buf_done(&v->say.line);
	verify_account_done(&v->account);
	verify_small_done(&v->small);
	schema_free(v->schema);
}

int archive_verify(char *const *paths, unsigned count,
		   struct verify_report *ret,
		   void (*fn)(void *arg, const char *line), void *arg)
{
	struct verify_report r = {0};
	struct verify v = {.r = &r, .say = {.fn = fn, .arg = arg}};
	const char *why;
	int err;

	err = archive_list_open(&v.list, paths, count, &why);
	if (!err)
		err = block_codec_new(&v.codec);
	if (!err)
		err = check_all(&v);
	if (!err && !v.schema)
		err = -EBADMSG;
	verify_done(&v);
	*ret = r;
	if (err)
		return err;
	return r.damaged || r.disorder || r.unaccounted ? -EBADMSG : 0;
}
