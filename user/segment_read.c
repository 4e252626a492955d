// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_format.h"
#include "crc32c.h"
#include "segment.h"

#define SCAN_BYTES (64U << 10) /* read at once when looking for a frame */
#define BAD_BYTES  4096U       /* left out where the disk gives nothing */

int segment_open(struct segment_reader *r, int fd)
{
	struct stat st;

	*r = (struct segment_reader){.fd = fd};
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	r->size = (uint64_t)st.st_size;
	return 0;
}

void segment_done(struct segment_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/*
 * Return: bytes read, less than @len only at the end of the file, or where the
 * disk cannot give more; -EIO it cannot give the first; -errno.
 */
static ssize_t read_at(struct segment_reader *r, void *to, size_t len,
		       uint64_t offset)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = pread(r->fd, (char *)to + at, len - at,
			  (off_t)(offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EIO || !at))
			return -errno;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* ---- headers ----------------------------------------------------------- */

static bool is_sound(const struct segment_reader *r, const struct disk_frame *d)
{
	if (d->magic != FORMAT_MAGIC ||
	    d->header_crc !=
		    crc32c(0, d, offsetof(struct disk_frame, header_crc)))
		return false;
	return !r->id_known || d->segment == r->id;
}

static void take_header(struct frame *f, const struct disk_frame *d,
			uint64_t offset)
{
	*f = (struct frame){
		.type = d->type,
		.flags = d->flags,
		.encoding = d->encoding,
		.first_ns = d->first_ns,
		.last_ns = d->last_ns,
		.kinds = d->kinds,
		.events = d->events,
		.raw_len = d->raw_len,
		.payload_len = d->payload_len,
		.payload_crc = d->payload_crc,
		.segment = d->segment,
		.seq = d->seq,
		.offset = offset,
	};
}

static bool is_too_new(const struct disk_frame *d)
{
	return d->version != FORMAT_FRAMES ||
	       (d->flags & FRAME_F_MUST &&
		(d->type >= FRAME_TYPES || !d->type));
}

/* Return: 1 with @ret; 0 no frame there; -EPROTONOSUPPORT; -errno. */
static int header_at(struct segment_reader *r, uint64_t offset,
		     struct frame *ret)
{
	struct disk_frame d;
	ssize_t n = read_at(r, &d, sizeof(d), offset);

	if (n < 0)
		return n == -EIO ? 0 : (int)n;
	if ((size_t)n < sizeof(d) || !is_sound(r, &d))
		return 0;
	if (is_too_new(&d))
		return -EPROTONOSUPPORT;
	take_header(ret, &d, offset);
	return 1;
}

/* ---- damage ------------------------------------------------------------ */

/* A look at what has been read already, so far as it goes. */
static bool may_be_header(const struct segment_reader *r, const char *at,
			  size_t len)
{
	struct disk_frame d;

	if (len < sizeof(d))
		return true;
	memcpy(&d, at, sizeof(d));
	return is_sound(r, &d);
}

/* Look for a header in @p[0, len), which lies at @offset in the file. */
static int scan_bytes(struct segment_reader *r, const char *p, size_t len,
		      uint64_t offset, struct frame *ret)
{
	static const uint32_t magic = FORMAT_MAGIC;
	const char *at = p, *end = p + len;
	int rc = 0;

	while ((at = memmem(at, (size_t)(end - at), &magic, sizeof(magic)))) {
		if (may_be_header(r, at, (size_t)(end - at)))
			rc = header_at(r, offset + (uint64_t)(at - p), ret);
		if (rc)
			return rc;
		at++;
	}
	return 0;
}

/* The next frame at or after @from. Return: as header_at(). */
static int resynchronise(struct segment_reader *r, uint64_t from,
			 struct frame *ret)
{
	const size_t overlap = sizeof(uint32_t) - 1;
	char *p = malloc(SCAN_BYTES);
	ssize_t n;
	int rc = 0;

	if (!p)
		return -ENOMEM;
	while (!rc && from < r->size) {
		n = read_at(r, p, SCAN_BYTES, from);
		n = n == -EIO ? 0 : n;
		rc = n < 0 ? (int)n : scan_bytes(r, p, (size_t)n, from, ret);
		from += n == SCAN_BYTES
				? SCAN_BYTES - overlap
				: (uint64_t)n + BAD_BYTES -
					  (from + (uint64_t)n) % BAD_BYTES;
	}
	free(p);
	return rc;
}

/* Return: 1 when all bytes from @from on are zero; 0, or not known; -errno. */
static int is_zero(struct segment_reader *r, uint64_t from)
{
	char p[4096];
	ssize_t n, i;

	while (from < r->size) {
		n = read_at(r, p, sizeof(p), from);
		if (n <= 0)
			return n == -EIO ? 0 : n < 0 ? (int)n : 1;
		for (i = 0; i < n; i++)
			if (p[i])
				return 0;
		from += (uint64_t)n;
	}
	return 1;
}

/*
 * No frame begins in the rest of the file. A write that was cut off leaves the
 * beginning of a header there, or (after a power cut) zeros.
 */
static int judge_tail(struct segment_reader *r)
{
	uint64_t bytes = r->size - r->pos, offset = r->pos;
	static const uint32_t magic = FORMAT_MAGIC;
	char p[sizeof(struct disk_frame)];
	ssize_t n = read_at(r, p, sizeof(p), r->pos);
	size_t known = bytes < sizeof(magic) ? bytes : sizeof(magic);
	bool begun = bytes < sizeof(p) && n >= (ssize_t)known &&
		     !memcmp(p, &magic, known);
	int rc;

	if (n < 0 && n != -EIO)
		return (int)n;
	r->pos = r->size;
	rc = is_zero(r, offset);
	if (rc < 0)
		return rc;
	if (rc || begun) {
		r->torn_bytes = bytes;
		return 0;
	}
	r->damage = (struct segment_damage){offset, bytes};
	return -EBADMSG;
}

static int skip_damage(struct segment_reader *r)
{
	struct frame next;
	int rc = resynchronise(r, r->pos + 1, &next);

	if (rc < 0)
		return rc;
	if (!rc)
		return judge_tail(r);
	r->damage = (struct segment_damage){r->pos, next.offset - r->pos};
	r->pos = next.offset;
	return -EBADMSG;
}

int segment_next(struct segment_reader *r, struct frame *ret)
{
	struct frame f;
	int rc;

	if (r->pos >= r->size)
		return 0;
	rc = header_at(r, r->pos, &f);
	if (rc < 0)
		return rc;
	if (!rc)
		return skip_damage(r);
	if (frame_bytes(&f) > r->size - r->pos) {
		r->torn_bytes = r->size - r->pos;
		r->pos = r->size;
		return 0;
	}
	r->id = f.segment;
	r->id_known = true;
	r->pos += frame_bytes(&f);
	*ret = f;
	return 1;
}

int segment_read(struct segment_reader *r, const struct frame *f, struct buf *b)
{
	uint64_t len = frame_bytes(f) - sizeof(struct disk_frame);
	ssize_t n;
	void *to;

	buf_reset(b);
	if (f->payload_len > FRAME_PAYLOAD_MAX || len > r->size)
		return -EBADMSG;
	to = buf_space(b, len);
	if (!to)
		return -ENOMEM;
	n = read_at(r, to, len, f->offset + sizeof(struct disk_frame));
	if (n < 0)
		return n == -EIO ? -EBADMSG : (int)n;
	if ((uint64_t)n < len || crc32c(0, to, len) != f->payload_crc)
		return -EBADMSG;
	b->len = f->payload_len;
	return 0;
}

/* ---- the whole file ---------------------------------------------------- */

static int add_frame(struct segment_frames *s, size_t *cap,
		     const struct frame *f)
{
	size_t more = *cap ? *cap * 2 : 64;
	struct frame *grown;

	if (s->count == *cap) {
		grown = reallocarray(s->frame, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->frame = grown;
		*cap = more;
	}
	s->frame[s->count++] = *f;
	return 0;
}

static int walk(struct segment_reader *r, struct segment_frames *ret)
{
	struct segment_frames s = {0};
	struct frame f;
	size_t cap = 0;
	int rc;

	r->pos = 0;
	r->id_known = false;
	while ((rc = segment_next(r, &f))) {
		if (rc == -EBADMSG) {
			s.damaged++;
			continue;
		}
		if (rc > 0)
			rc = add_frame(&s, &cap, &f);
		if (rc < 0)
			break;
		s.sealed = f.type == FRAME_TRAILER;
	}
	if (rc < 0) {
		segment_frames_done(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

/* Return: 1 with the trailer; 0 there is none that is sound; -errno. */
static int find_trailer(struct segment_reader *r, struct disk_trailer *ret)
{
	const uint64_t bytes = sizeof(struct disk_frame) + sizeof(*ret);
	struct buf b = {0};
	struct frame f;
	int rc;

	if (r->size < bytes)
		return 0;
	rc = header_at(r, r->size - bytes, &f);
	if (rc <= 0 || f.type != FRAME_TRAILER || f.payload_len < sizeof(*ret))
		return rc < 0 ? rc : 0;
	rc = segment_read(r, &f, &b);
	if (!rc)
		memcpy(ret, b.data, sizeof(*ret));
	buf_done(&b);
	return rc == -EBADMSG ? 0 : rc < 0 ? rc : 1;
}

/* The headers must be sound, of one segment, and their frames adjoin. */
static int take_index(struct segment_reader *r, const struct buf *b,
		      uint64_t end, struct segment_frames *ret)
{
	size_t i, count = b->len / sizeof(struct disk_frame);
	struct disk_frame d;
	uint64_t at = 0;

	ret->frame = calloc(count ? count : 1, sizeof(*ret->frame));
	if (!ret->frame)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		memcpy(&d, b->data + i * sizeof(d), sizeof(d));
		if (!is_sound(r, &d))
			return 0;
		if (is_too_new(&d))
			return -EPROTONOSUPPORT;
		take_header(&ret->frame[i], &d, at);
		at += frame_bytes(&ret->frame[i]);
	}
	ret->count = count;
	ret->sealed = true;
	return at == end;
}

/* Return: 1 with the list; 0 the index is not sound; -errno. */
static int read_index(struct segment_reader *r, const struct disk_trailer *t,
		      struct segment_frames *ret)
{
	struct segment_frames s = {0};
	struct buf b = {0};
	struct frame f;
	int rc;

	if (!t->index_offset || t->index_offset >= r->size)
		return 0;
	rc = header_at(r, t->index_offset, &f);
	if (rc <= 0 || f.type != FRAME_INDEX)
		return rc < 0 ? rc : 0;
	rc = segment_read(r, &f, &b);
	if (!rc) {
		r->id = f.segment;
		r->id_known = true;
		rc = take_index(r, &b, f.offset, &s);
	}
	buf_done(&b);
	if (rc > 0)
		*ret = s;
	else
		segment_frames_done(&s);
	return rc == -EBADMSG ? 0 : rc;
}

int segment_frames(struct segment_reader *r, struct segment_frames *ret)
{
	struct disk_trailer t;
	int rc = find_trailer(r, &t);

	if (rc > 0)
		rc = read_index(r, &t, ret);
	if (rc)
		return rc < 0 ? rc : 0;
	return walk(r, ret);
}

static int append(struct segment_frames *s, const struct frame *f)
{
	struct frame *grown = reallocarray(s->frame, s->count + 1,
					   sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->frame = grown;
	s->frame[s->count++] = *f;
	s->sealed = f->type == FRAME_TRAILER;
	return 1;
}

int segment_more(struct segment_reader *r, struct segment_frames *s)
{
	const struct frame *last = s->count ? &s->frame[s->count - 1] : NULL;
	uint32_t damaged = 0;
	struct frame f;
	struct stat st;
	int rc, found = 0;

	if (fstat(r->fd, &st))
		return -errno;
	r->size = (uint64_t)st.st_size;
	r->pos = last ? last->offset + frame_bytes(last) : 0;
	while ((rc = segment_next(r, &f))) {
		damaged += rc == -EBADMSG;
		if (rc == -EBADMSG)
			continue;
		if (rc > 0)
			rc = append(s, &f);
		if (rc < 0)
			return rc;
		found++;
		s->damaged += damaged;
		damaged = 0;
	}
	return found;
}

void segment_frames_done(struct segment_frames *s)
{
	free(s->frame);
	*s = (struct segment_frames){0};
}
