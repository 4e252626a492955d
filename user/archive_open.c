// SPDX-License-Identifier: BSD-2-Clause
#include "archive_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening: one segment ---------------------------------------------- */

static int take_schema(struct archive *a, const struct frame *f)
{
	struct buf bytes = {0};
	int err;

	err = block_unpack(a->codec, f, &a->payload, &bytes);
	if (err)
		goto out;
	if (!a->schema) {
		err = schema_decode(&a->schema, bytes.data, bytes.len);
		if (err)
			goto out;
		a->schema_bytes = bytes;
		return 0;
	}
	if (bytes.len != a->schema_bytes.len ||
	    memcmp(bytes.data, a->schema_bytes.data, bytes.len))
		err = -EXDEV;
out:
	buf_done(&bytes);
	return err;
}

static int take_clock(struct archive *a)
{
	struct segment_clock c;
	int err;

	err = segment_get_clock(&a->payload, &c);
	if (err)
		return err;
	a->wall_offset = (int64_t)(c.realtime - c.monotonic);
	if (a->wall_offset < a->info.wall_offset_min)
		a->info.wall_offset_min = a->wall_offset;
	if (a->wall_offset > a->info.wall_offset_max)
		a->info.wall_offset_max = a->wall_offset;
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
		      const struct frame *f)
{
	int err;

	err = segment_read(r, f, &a->payload);
	if (err)
		return err;
	switch (f->type) {
	case FRAME_SCHEMA:
		return take_schema(a, f);
	case FRAME_CLOCK:
		return take_clock(a);
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
		err = take_frame(a, r, &s->frame[i]);
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
	struct account_row *r, *grown;
	size_t i, cap;

	for (i = 0; i < a->row_count; i++)
		if (a->rows[i].cpu == like->cpu &&
		    !strcmp(a->rows[i].source, like->source))
			return &a->rows[i];
	if (a->row_count == a->row_cap) {
		cap = a->row_cap ? a->row_cap * 2 : 64;
		grown = reallocarray(a->rows, cap, sizeof(*grown));
		if (!grown)
			return NULL;
		a->rows = grown;
		a->row_cap = cap;
	}
	r = &a->rows[a->row_count++];
	*r = (struct account_row){.cpu = like->cpu};
	memcpy(r->source, like->source, sizeof(r->source));
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

	*sum = (struct summary){.first_ns = UINT64_MAX, .open = true};
	err = archive_list_segment(&a->list, i, &r);
	if (err)
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
	if (err)
		return err;
	return a->schema ? err2 : -EBADMSG;
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
		};
	return more;
}

/* Kinds that tasks.c binds: those of source task (task_*, cgroup_path). */
static void choose_context(struct archive *a)
{
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(a->schema, i);
		if (!k || strcmp(k->source, "task"))
			continue;
		a->context[i] = true;
		a->context_kinds |= frame_kind_bit(i);
	}
}

static const char *meta(const struct archive *a, const char *name)
{
	const char *value = segment_get_meta(&a->meta, name);

	return value ? value : "";
}

static uint32_t count_boots(const struct archive_list *l)
{
	const struct archive_file *known = NULL;
	uint32_t boots = 0;
	size_t i;

	for (i = 0; i < l->count; i++) {
		const struct archive_file *f = &l->file[i];

		if (!f->head_known)
			continue;
		boots += !known || memcmp(f->head.boot_id, known->head.boot_id,
					  sizeof(f->head.boot_id)) != 0;
		known = f;
	}
	return boots;
}

static void fill_info(struct archive *a)
{
	struct archive_info *info = &a->info;
	size_t i;

	info->first_ns = UINT64_MAX;
	for (i = 0; i < a->list.count; i++) {
		const struct summary *s = &a->summary[i];

		if (s->first_ns < info->first_ns)
			info->first_ns = s->first_ns;
		if (s->first_ns <= s->last_ns && s->last_ns > info->last_ns)
			info->last_ns = s->last_ns;
	}
	if (info->first_ns > info->last_ns)
		info->first_ns = info->last_ns = 0;
	info->boots = count_boots(&a->list);
	info->wall_offset = a->wall_offset;
	if (info->wall_offset_min > info->wall_offset_max) /* no clock */
		info->wall_offset_min = info->wall_offset_max = 0;
	info->host = meta(a, "host");
	info->kernel = meta(a, "kernel");
	info->boot_id = meta(a, "boot_id");
	info->command = meta(a, "command");
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

	if (!a)
		return -ENOMEM;
	a->info.wall_offset_min = INT64_MAX;
	a->info.wall_offset_max = INT64_MIN;
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
	choose_context(a);
	fill_info(a);
	*ret = a;
	return 0;
}

void archive_free(struct archive *a)
{
	if (!a)
		return;
	archive_list_done(&a->list);
	schema_free(a->schema);
	block_codec_free(a->codec);
	buf_done(&a->payload);
	buf_done(&a->schema_bytes);
	buf_done(&a->meta);
	free(a->summary);
	free(a->rows);
	free(a);
}

const struct schema *archive_schema(const struct archive *a)
{
	return a->schema;
}

int64_t archive_wall_offset(const struct archive *a)
{
	return a->wall_offset;
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
