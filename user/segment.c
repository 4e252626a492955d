// SPDX-License-Identifier: BSD-2-Clause
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive_format.h"
#include "crc32c.h"
#include "nolink.h"

#define INDEX_SLACK 4096 /* bytes: frames that may come before INDEX */

uint64_t frame_bytes(const struct frame *f)
{
	uint64_t len = f->payload_len;

	return sizeof(struct disk_frame) +
	       ((len + FORMAT_ALIGN - 1) & ~(uint64_t)(FORMAT_ALIGN - 1));
}

void segment_name(const struct segment_head *h, bool sealed,
		  char ret[SEGMENT_NAME_MAX])
{
	time_t t = (time_t)(h->realtime / 1000000000);
	char utc[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(utc, sizeof(utc), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(ret, SEGMENT_NAME_MAX,
		 "%.20s-%02x%02x%02x%02x-%010" PRIu64 ".weir%s", utc,
		 h->boot_id[0], h->boot_id[1], h->boot_id[2], h->boot_id[3],
		 h->number % 10000000000, sealed ? "" : ".open");
}

/* ---- frames ------------------------------------------------------------ */

void segment_frame(struct buf *b)
{
	buf_reset(b);
	if (buf_space(b, sizeof(struct disk_frame)))
		b->len = sizeof(struct disk_frame);
}

static void pad(struct buf *b)
{
	static const char zeros[FORMAT_ALIGN];

	buf_put(b, zeros, -b->len & (FORMAT_ALIGN - 1));
}

/* Complete @f, and lay its header down before the payload in @b. */
static void fill_header(struct segment *s, struct frame *f, struct buf *b)
{
	struct disk_frame d = {
		.magic = FORMAT_MAGIC,
		.version = FORMAT_FRAMES,
		.type = f->type,
		.flags = f->flags,
		.segment = f->segment = s->id,
		.seq = f->seq = s->seq,
		.first_ns = f->first_ns,
		.last_ns = f->last_ns,
		.kinds = f->kinds,
		.events = f->events,
		.encoding = f->encoding,
	};

	f->offset = s->size;
	f->payload_len = (uint32_t)(b->len - sizeof(d));
	if (!f->raw_len)
		f->raw_len = f->payload_len;
	pad(b);
	f->payload_crc = crc32c(0, b->data + sizeof(d), b->len - sizeof(d));
	d.raw_len = f->raw_len;
	d.payload_len = f->payload_len;
	d.payload_crc = f->payload_crc;
	d.header_crc = crc32c(0, &d, offsetof(struct disk_frame, header_crc));
	memcpy(b->data, &d, sizeof(d));
}

/* Bytes to keep for the frames that seal the segment. */
static uint64_t spare_bytes(const struct segment *s)
{
	if (s->sealing)
		return 0;
	return s->spare + s->index.len + INDEX_SLACK +
	       sizeof(struct disk_frame) + sizeof(struct disk_trailer);
}

static int allocate(struct segment *s, uint64_t end)
{
	int rc;

	do {
		rc = fallocate(s->fd, FALLOC_FL_KEEP_SIZE, (off_t)s->allocated,
			       (off_t)(end - s->allocated));
	} while (rc < 0 && errno == EINTR);
	if (!rc)
		s->allocated = end;
	return rc < 0 ? -errno : 0;
}

uint64_t segment_would_take(const struct segment *s, uint64_t len)
{
	uint64_t end = s->size + len + spare_bytes(s);

	if (end <= s->allocated)
		return s->allocated;
	if (s->sealing)
		return end;
	return (end + SEGMENT_STEP - 1) / SEGMENT_STEP * SEGMENT_STEP;
}

/* Where the file system cannot allocate ahead, writing itself finds out. */
static int make_room(struct segment *s, uint64_t len)
{
	uint64_t end = s->size + len + spare_bytes(s);
	int err;

	if (end > s->limit)
		return -EFBIG;
	if (end <= s->allocated || s->sealing)
		return 0;
	err = allocate(s, segment_would_take(s, len));
	if (err == -ENOSPC || err == -EDQUOT)
		err = allocate(s, end);
	return err == -EOPNOTSUPP || err == -ENOSYS ? 0 : err;
}

/* The allocation behind the end goes too. */
static void cut_back(struct segment *s)
{
	if (!ftruncate(s->fd, (off_t)s->size))
		s->allocated = s->size;
}

static int write_all(struct segment *s, const char *p, size_t len)
{
	uint64_t at = s->size;
	ssize_t n;

	while (len) {
		n = pwrite(s->fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int check_there(const struct segment *s)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -ENOENT;
}

int segment_put(struct segment *s, struct frame *f, struct buf *b)
{
	int err;

	if (!b->err)
		fill_header(s, f, b);
	err = buf_err(b);
	if (!err)
		err = check_there(s);
	if (!err)
		err = make_room(s, b->len);
	if (err)
		return err;
	err = write_all(s, b->data, b->len);
	if (err) {
		cut_back(s);
		return err;
	}
	buf_put(&s->index, b->data, sizeof(struct disk_frame));
	__atomic_store_n(&s->size, s->size + b->len, __ATOMIC_RELEASE);
	s->seq++;
	return 0;
}

/* ---- a segment's life -------------------------------------------------- */

/* Unpredictable like the run's number, so that no event can bear it. */
static uint32_t make_id(const struct segment_head *h)
{
	const uint64_t parts[] = {h->run, h->number};

	return crc32c(0, parts, sizeof(parts));
}

static uint64_t size_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_FSIZE, &r) || r.rlim_cur > INT64_MAX)
		return INT64_MAX;
	return r.rlim_cur;
}

static int open_files(struct segment *s, int dirfd)
{
	char name[SEGMENT_NAME_MAX];
	int fd;

	s->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (s->dirfd < 0)
		return -errno;
	segment_name(&s->head, false, name);
	fd = nolink_open(dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	s->fd = fd;
	return 0;
}

static int put_first(struct segment *s)
{
	struct frame f = {.type = FRAME_SEGMENT};
	struct buf b = {0};
	int err;

	segment_frame(&b);
	segment_put_head(&b, &s->head);
	err = segment_put(s, &f, &b);
	buf_done(&b);
	return err;
}

int segment_create(struct segment **ret, int dirfd,
		   const struct segment_head *head)
{
	struct segment *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->fd = s->dirfd = -1;
	s->head = *head;
	s->id = make_id(head);
	s->limit = size_limit();
	err = open_files(s, dirfd);
	if (!err)
		err = put_first(s);
	if (err) {
		segment_discard(s);
		return err;
	}
	*ret = s;
	return 0;
}

static int put_index(struct segment *s, struct buf *b, struct disk_trailer *ret)
{
	struct frame f = {.type = FRAME_INDEX};
	uint64_t frames = s->index.len / sizeof(struct disk_frame);
	int err;

	if (buf_err(&s->index))
		return 0;
	segment_frame(b);
	buf_put(b, s->index.data, s->index.len);
	err = segment_put(s, &f, b);
	if (err)
		return err;
	ret->index_offset = f.offset;
	ret->frames = frames;
	return 0;
}

int segment_seal(struct segment *s, struct buf *b)
{
	struct frame f = {.type = FRAME_TRAILER};
	struct disk_trailer t = {0};
	int err;

	s->sealing = true;
	err = put_index(s, b, &t);
	if (err)
		return err;
	segment_frame(b);
	buf_put(b, &t, offsetof(struct disk_trailer, segment));
	segment_put_head(b, &s->head);
	err = segment_put(s, &f, b);
	if (err)
		return err;
	s->sealed = true;
	cut_back(s);
	return 0;
}

/* The first time the name must reach the disk, too. */
int segment_sync(struct segment *s)
{
	if (fdatasync(s->fd) || (!s->listed && fsync(s->dirfd)))
		return -errno;
	s->listed = true;
	return 0;
}

/* Not every file system knows RENAME_NOREPLACE; the lock keeps others out. */
static int take_off_open(struct segment *s)
{
	char from[SEGMENT_NAME_MAX], to[SEGMENT_NAME_MAX];

	segment_name(&s->head, false, from);
	segment_name(&s->head, true, to);
	if (!renameat2(s->dirfd, from, s->dirfd, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return renameat(s->dirfd, from, s->dirfd, to) ? -errno : 0;
}

int segment_publish(struct segment *s)
{
	int err = segment_sync(s), err2 = 0;

	if (s->sealed)
		err2 = take_off_open(s);
	if (s->sealed && !err2 && fsync(s->dirfd))
		err2 = -errno;
	return err ? err : err2;
}

void segment_discard(struct segment *s)
{
	char name[SEGMENT_NAME_MAX];

	if (!s)
		return;
	segment_name(&s->head, false, name);
	if (s->fd >= 0)
		unlinkat(s->dirfd, name, 0);
	segment_close(s);
}

void segment_close(struct segment *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->dirfd >= 0)
		close(s->dirfd);
	buf_done(&s->index);
	free(s);
}
