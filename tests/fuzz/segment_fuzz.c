// SPDX-License-Identifier: BSD-2-Clause
/*
 * segment_fuzz.c - an archive of one segment with any content.
 *
 * The first byte of the input says how it is dressed up: bit 0: checksums are
 * made right (a fuzzer cannot), so that what is behind them is reached; bit 1:
 * the segment is called sealed. The rest is the file. It is walked, read as an
 * archive in every way, verified, and gone on from as record --pin does, which
 * is root then; what comes out must be whole records, and two passes must see
 * the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/archive.h"
#include "../../user/archive_format.h"
#include "../../user/crc32c.h"
#include "../../user/resume.h"
#include "../../user/segment.h"
#include "../../user/tasks.h"

#define SEALED "20261122T140320Z-c6e927b5-0000000001.weir"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "segment_fuzz: %s\n", what);
	abort();
}

/* ---- the file ---------------------------------------------------------- */

static void remove_dir(void);

static const char *dir(void)
{
	static char path[64];

	if (path[0])
		return path;
	snprintf(path, sizeof(path), "%s/weir-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	must(mkdtemp(path) != NULL, "mkdtemp");
	atexit(remove_dir);
	return path;
}

static void file_name(char *ret, size_t len, int sealed)
{
	snprintf(ret, len, "%s/%s%s", dir(), SEALED, sealed ? "" : ".open");
}

static void remove_dir(void)
{
	char name[256];

	file_name(name, sizeof(name), 0);
	unlink(name);
	file_name(name, sizeof(name), 1);
	unlink(name);
	rmdir(dir());
}

static void write_file(const uint8_t *data, size_t size, int sealed)
{
	char name[256];
	int fd;

	file_name(name, sizeof(name), !sealed);
	unlink(name);
	file_name(name, sizeof(name), sealed);
	fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	must(fd >= 0, "open");
	must(write(fd, data, size) == (ssize_t)size, "write");
	close(fd);
}

/* Follow the lengths, and make every checksum and number on the way right. */
static void make_right(uint8_t *data, size_t size)
{
	struct disk_frame f;
	size_t at = 0, len;
	uint32_t seq = 0;

	while (size - at >= sizeof(f)) {
		memcpy(&f, data + at, sizeof(f));
		len = ((size_t)f.payload_len + 7) & ~(size_t)7;
		if (len > size - at - sizeof(f))
			len = size - at - sizeof(f);
		f.magic = FORMAT_MAGIC;
		f.version = FORMAT_FRAMES;
		f.segment = 1;
		f.seq = seq++;
		f.payload_crc = crc32c(0, data + at + sizeof(f), len);
		f.header_crc = crc32c(0, &f, sizeof(f) - 4);
		memcpy(data + at, &f, sizeof(f));
		at += sizeof(f) + len;
	}
}

/* ---- what is done with it ---------------------------------------------- */

/* Return: the run it says it is of. */
static uint64_t walk(const char *name)
{
	struct segment_head head = {0};
	struct segment_frames list;
	struct segment_reader r;
	struct buf b = {0};
	uint64_t end = 0;
	struct frame f;
	int rc;

	must(!segment_open(&r, open(name, O_RDONLY | O_CLOEXEC)), "opens");
	while ((rc = segment_next(&r, &f)) == 1 || rc == -EBADMSG) {
		if (rc < 0)
			continue;
		must(f.offset >= end, "goes on");
		end = f.offset + frame_bytes(&f);
		must(end <= r.size, "is inside");
		if (segment_read(&r, &f, &b))
			continue;
		must(b.len == f.payload_len, "is all there");
		if (f.type == FRAME_SEGMENT)
			segment_get_head(&b, &head);
	}
	if (!segment_frames(&r, &list))
		segment_frames_done(&list);
	segment_done(&r);
	buf_done(&b);
	return head.run;
}

struct seen {
	uint64_t events, sum;
};

static int on_event(void *arg, struct event *ev)
{
	struct seen *s = arg;

	must(ev->len == ev->h->len && ev->len >= ev->kind->size, "is whole");
	s->events++;
	s->sum = s->sum * 31 + crc32c(0, ev->h, ev->len);
	return 0;
}

static void read_all(struct archive *a)
{
	struct archive_range range = {0};
	struct seen once = {0}, again = {0}, part = {0};
	bool kinds[SCHEMA_KINDS_MAX] = {[32] = true};
	struct archive_info info;
	int err;

	archive_info(a, &info);
	err = archive_each(a, &range, on_event, &once);
	range.ahead = 1;
	archive_each(a, &range, on_event, &again);
	range.ahead = 0;
	must(once.events == again.events && once.sum == again.sum,
	     "is the same again");
	range.kinds = kinds;
	range.from_ns = info.first_ns / 2 + info.last_ns / 2;
	archive_each(a, &range, on_event, &part);
	/* What ends a pass early, as a newer version does, may lie outside. */
	must((err && err != -EBADMSG) || part.events <= once.events,
	     "is a part");
}

static void go_on(const struct schema *schema, uint64_t run)
{
	int fd = open(dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct archive_resume from = {0};
	struct tasks *tasks = NULL;
	struct resume at = {0};
	uint32_t i;

	must(fd >= 0, "opendir");
	if (archive_resume_find(fd, run, &from) == 1) {
		if (!resume_parse(&at, from.data.data, from.data.len))
			for (i = 0; i < at.rings; i++)
				must(!at.ring[i].count ||
					     at.ring[i].above[0] >
						     at.ring[i].pos,
				     "is above");
		must(!tasks_new(&tasks, schema), "tasks");
		resume_tasks(tasks, schema, fd, from.segment);
	}
	tasks_free(tasks);
	resume_done(&at);
	archive_resume_done(&from);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[256], *paths[] = {name};
	uint64_t run;
	struct verify_report report;
	struct archive *a;
	const char *why;
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	must(copy != NULL, "malloc");
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		make_right(copy, size - 1);
	write_file(copy, size - 1, data[0] & 2);
	free(copy);
	file_name(name, sizeof(name), data[0] & 2);
	run = walk(name);
	snprintf(name, sizeof(name), "%s", dir());
	if (!archive_open(&a, paths, 1, &why)) {
		read_all(a);
		go_on(archive_schema(a), run);
		archive_free(a);
	}
	archive_verify(paths, 1, &report, NULL, NULL);
	return 0;
}
