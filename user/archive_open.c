// SPDX-License-Identifier: BSD-2-Clause
#include "archive_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening: one segment ---------------------------------------------- */

static int take_schema(struct archive *a, const struct frame *f,
		       struct summary *sum)
{
	struct buf bytes = {0};
	int err;

	err = block_unpack(a->codec, f, &a->payload, &bytes);
	if (!err)
		return dialects_add(&a->dialects, &bytes, &sum->dialect);
	buf_done(&bytes);
	return err;
}

static int take_clock(struct archive *a, const struct summary *sum)
{
	struct segment_clock c;
	int err;

	err = segment_get_clock(&a->payload, &c);
	if (err)
		return err;
	a->wall_offset = (int64_t)(c.realtime - c.monotonic);
	boots_clock(&a->boots, sum->boot, a->wall_offset);
	return 0;
}

#define META_MAX 65536 /* bytes: more than any recorder has to say */

static void take_note(void *arg, const char *name, const char *value)
{
	struct archive *a = arg;

	if (a->meta.len < META_MAX && !segment_get_meta(&a->meta, name))
		segment_put_meta(&a->meta, name, value);
}

static int take_meta(struct archive *a)
{
	segment_each_meta(&a->payload, take_note, a);
	return buf_err(&a->meta);
}

static void take_block(struct archive *a, const struct frame *f,
		       struct summary *s)
{
	if (!f->events)
		return;
	if (f->first_ns < s->first_ns)
		s->first_ns = f->first_ns;
	if (f->last_ns > s->last_ns)
		s->last_ns = f->last_ns;
	a->info.events += f->events;
	if (f->encoding != FRAME_COLUMNS)
		a->info.rows += f->events;
}

/* Return: 0; -EBADMSG this frame is damaged; what ends the opening. */
static int take_frame(struct archive *a, struct segment_reader *r,
		      const struct frame *f, struct summary *sum)
{
	int err;

	err = segment_read(r, f, &a->payload);
	if (err)
		return err;
	switch (f->type) {
	case FRAME_SCHEMA:
		return take_schema(a, f, sum);
	case FRAME_CLOCK:
		return take_clock(a, sum);
	default:
		return take_meta(a);
	}
}

static bool is_small(const struct frame *f)
{
	return f->type == FRAME_SCHEMA || f->type == FRAME_CLOCK ||
	       f->type == FRAME_META;
}

static int take_frames(struct archive *a, struct segment_reader *r,
		       const struct segment_frames *s, struct summary *sum)
{
	size_t i;
	int err;

	for (i = 0; i < s->count; i++) {
		if (s->frame[i].type == FRAME_BLOCK)
			take_block(a, &s->frame[i], sum);
		if (!is_small(&s->frame[i]))
			continue;
		err = take_frame(a, r, &s->frame[i], sum);
		if (err == -EBADMSG)
			a->info.damaged++;
		else if (err)
			return err;
	}
	return 0;
}

/* ---- the account: the last one of each run, added up ------------------- */

static struct account_row *row_for(struct archive *a,
				   const struct account_row *like)
{
	size_t i = account_map_find(&a->row_map, a->rows, like), cap;
	struct account_row *r, *grown;

	if (i != ACCOUNT_NO_ROW)
		return &a->rows[i];
	if (a->row_count == a->row_cap) {
		cap = a->row_cap ? a->row_cap * 2 : 64;
		grown = reallocarray(a->rows, cap, sizeof(*grown));
		if (!grown)
			return NULL;
		a->rows = grown;
		a->row_cap = cap;
	}
	r = &a->rows[a->row_count];
	*r = (struct account_row){.cpu = like->cpu};
	memcpy(r->source, like->source, sizeof(r->source));
	if (account_map_add(&a->row_map, a->rows, a->row_count))
		return NULL;
	a->row_count++;
	return r;
}

static int add_account(struct archive *a, const struct account_row *rows,
		       size_t count)
{
	struct account_row *r;
	size_t i;

	for (i = 0; i < count; i++) {
		r = row_for(a, &rows[i]);
		if (!r)
			return -ENOMEM;
		account_add(r, &rows[i]);
	}
	return 0;
}

/* An account that is not of the run at hand any more is final. */
struct last_account {
	struct account_row *rows;
	size_t count;
};

static int settle_account(struct archive *a, struct last_account *last)
{
	int err = add_account(a, last->rows, last->count);

	free(last->rows);
	*last = (struct last_account){0};
	return err;
}

static int read_account(struct archive *a, struct segment_reader *r,
			const struct frame *f, struct last_account *ret,
			uint32_t *flags)
{
	struct buf bytes = {0};
	int err;

	err = segment_read(r, f, &a->payload);
	if (!err)
		err = block_unpack(a->codec, f, &a->payload, &bytes);
	if (!err)
		err = segment_get_account(&bytes, &ret->rows, &ret->count,
					  flags);
	buf_done(&bytes);
	return err;
}

/* The last LOSS frame that is sound. Return: 0, found or not; -errno. */
static int take_account(struct archive *a, struct segment_reader *r,
			const struct segment_frames *s,
			struct last_account *last)
{
	struct last_account found;
	uint32_t flags;
	size_t i;
	int err;

	for (i = s->count; i--;) {
		if (s->frame[i].type != FRAME_LOSS)
			continue;
		err = read_account(a, r, &s->frame[i], &found, &flags);
		if (!err) {
			free(last->rows);
			*last = found;
			return 0;
		}
		a->info.damaged++;
		if (err != -EBADMSG)
			return err;
	}
	return 0;
}

int archive_told_end(struct archive *a, struct segment_reader *r,
		     const struct segment_frames *s)
{
	struct last_account account;
	uint32_t flags;
	size_t i = s->count;
	int err;

	while (i && s->frame[i - 1].type != FRAME_LOSS)
		i--;
	if (!i)
		return 0;
	err = read_account(a, r, &s->frame[i - 1], &account, &flags);
	if (err)
		return err == -EBADMSG ? 0 : err;
	free(account.rows);
	return (flags & LOSS_END) != 0;
}

/* ---- opening: all of them ---------------------------------------------- */

static int learn_segment(struct archive *a, size_t i, struct last_account *last)
{
	struct summary *sum = &a->summary[i];
	struct segment_frames s = {0};
	struct segment_reader r;
	int err;

	*sum = (struct summary){
		.first_ns = UINT64_MAX,
		.dialect = DIALECT_NONE,
	};
	err = boots_find(&a->boots, &a->list, i, &sum->boot);
	if (!err)
		err = archive_list_segment(&a->list, i, &r);
	if (err) /* retention was faster: it has nothing */
		return err == -ENOENT ? 0 : err;
	err = segment_frames(&r, &s);
	if (!err)
		err = take_frames(a, &r, &s, sum);
	if (!err)
		err = take_account(a, &r, &s, last);
	a->info.bytes += r.size;
	a->info.segments++;
	a->info.open_segments += !s.sealed;
	sum->open = !s.sealed;
	a->info.damaged += s.damaged;
	segment_frames_done(&s);
	segment_done(&r);
	return err;
}

/* Whose own schema is damaged has that of a neighbour, of its run if any. */
static void settle_dialects(struct archive *a)
{
	struct summary *s = a->summary;
	size_t i, n = a->list.count;

	for (i = 1; i < n; i++)
		if (s[i].dialect == DIALECT_NONE &&
		    archive_list_same_run(&a->list, i))
			s[i].dialect = s[i - 1].dialect;
	for (i = n; i-- > 1;)
		if (s[i - 1].dialect == DIALECT_NONE)
			s[i - 1].dialect = s[i].dialect;
	for (i = 1; i < n; i++)
		if (s[i].dialect == DIALECT_NONE)
			s[i].dialect = s[i - 1].dialect;
}

static int learn_all(struct archive *a, const char **why)
{
	struct last_account last = {0};
	size_t i;
	int err = 0, err2;

	for (i = 0; i < a->list.count && !err; i++) {
		if (!archive_list_same_run(&a->list, i))
			err = settle_account(a, &last);
		if (!err)
			err = learn_segment(a, i, &last);
		if (err)
			*why = a->list.file[i].path;
	}
	err2 = settle_account(a, &last);
	err = err ? err : err2;
	if (!err && !a->dialects.count)
		err = -EBADMSG;
	if (err)
		return err;
	settle_dialects(a);
	return dialects_unite(&a->dialects);
}

int archive_more(struct archive *a)
{
	size_t i = a->list.count;
	struct summary *grown;
	int more = archive_list_more(&a->list);

	if (more <= 0)
		return more;
	grown = reallocarray(a->summary, a->list.count, sizeof(*grown));
	if (!grown) {
		a->list.count = i;
		return -ENOMEM;
	}
	a->summary = grown;
	for (; i < a->list.count; i++)
		a->summary[i] = (struct summary){
			.first_ns = UINT64_MAX,
			.open = true,
			.boot = a->summary[i - 1].boot,
			.dialect = a->summary[i - 1].dialect,
		};
	return more;
}

static const char *meta(const struct archive *a, const char *name)
{
	const char *value = segment_get_meta(&a->meta, name);

	return value ? value : "";
}

/* A file may say anything: sums wrap. */
static int64_t shifted(uint64_t ns, int64_t shift)
{
	return (int64_t)(ns + (uint64_t)shift);
}

/* The times of all segments, on the clock of the first boot. */
static void fill_times(struct archive *a)
{
	struct archive_info *info = &a->info;
	int64_t shift, first = INT64_MAX, last = 0;
	size_t i;

	for (i = 0; i < a->list.count; i++) {
		const struct summary *s = &a->summary[i];

		if (s->first_ns > s->last_ns)
			continue;
		shift = boots_shift(&a->boots, s->boot);
		if (shifted(s->first_ns, shift) < first)
			first = shifted(s->first_ns, shift);
		if (shifted(s->last_ns, shift) > last)
			last = shifted(s->last_ns, shift);
	}
	info->first_ns = first <= last ? (uint64_t)first : 0;
	info->last_ns = first <= last ? (uint64_t)last : 0;
}

static void fill_clock(struct archive *a)
{
	struct archive_info *info = &a->info;
	int64_t shift, min, max;
	unsigned i;

	info->boots = a->boots.count;
	info->wall_offset = a->boots.list[0].wall_offset;
	info->wall_offset_min = info->wall_offset_max = info->wall_offset;
	for (i = 0; i < a->boots.count; i++) {
		const struct boot *b = &a->boots.list[i];

		if (!b->clocked)
			continue;
		shift = (int64_t)(0 - (uint64_t)boots_shift(&a->boots, i));
		min = shifted((uint64_t)b->offset_min, shift);
		max = shifted((uint64_t)b->offset_max, shift);
		if (min < info->wall_offset_min)
			info->wall_offset_min = min;
		if (max > info->wall_offset_max)
			info->wall_offset_max = max;
	}
}

static void fill_info(struct archive *a)
{
	struct archive_info *info = &a->info;

	fill_times(a);
	fill_clock(a);
	info->schemas = a->dialects.count;
	info->host = meta(a, "host");
	info->kernel = meta(a, "kernel");
	info->boot_id = meta(a, "boot_id");
	info->command = meta(a, "command");
	info->asked = meta(a, "asked");
	info->version = meta(a, "version");
	info->snapshot = meta(a, "snapshot");
	info->trigger = meta(a, "trigger");
	info->covers = meta(a, "covers");
	info->cut = meta(a, "cut");
}

int archive_open(struct archive **ret, char *const *paths, unsigned count,
		 const char **why)
{
	struct archive *a = calloc(1, sizeof(*a));
	const char *cause = NULL;
	int err;

	*why = NULL;
	if (!a)
		return -ENOMEM;
	err = archive_list_open(&a->list, paths, count, &cause);
	if (!err)
		err = block_codec_new(&a->codec);
	if (!err) {
		a->summary = calloc(a->list.count, sizeof(*a->summary));
		err = a->summary ? learn_all(a, &cause) : -ENOMEM;
	}
	if (err) {
		*why = cause ? cause : count ? paths[0] : NULL;
		archive_free(a);
		return err;
	}
	fill_info(a);
	*ret = a;
	return 0;
}

void archive_free(struct archive *a)
{
	if (!a)
		return;
	archive_list_done(&a->list);
	dialects_done(&a->dialects);
	boots_done(&a->boots);
	block_codec_free(a->codec);
	buf_done(&a->payload);
	buf_done(&a->meta);
	free(a->summary);
	free(a->rows);
	account_map_done(&a->row_map);
	free(a);
}

const struct schema *archive_schema(const struct archive *a)
{
	return dialects_schema(&a->dialects);
}

int64_t archive_wall_offset(const struct archive *a)
{
	return a->wall_offset;
}

unsigned archive_boot(const struct archive *a)
{
	return a->boot;
}

int64_t archive_shift(const struct archive *a, unsigned boot)
{
	return boots_shift(&a->boots, boot);
}

void archive_follow(struct archive *a, struct archive_follow *f)
{
	a->follow = f;
}

void archive_info(const struct archive *a, struct archive_info *ret)
{
	*ret = a->info;
}

size_t archive_account(const struct archive *a, const struct account_row **ret)
{
	*ret = a->rows;
	return a->row_count;
}
