// SPDX-License-Identifier: BSD-2-Clause
/* segment_test.c - frames come back as they were put, whatever befell others.
 */
#include "../../user/archive_format.h"
#include "../../user/segment.h"
#include "store.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define FRAMES	  6 /* that put_frames() puts, after SEGMENT */
#define HEADER	  sizeof(struct disk_frame)
#define PAYLOAD_1 37 /* bytes of the first, then growing */

static const struct segment_head head = {
	.run = 0x1122334455667788,
	.number = 7,
	.run_realtime = 1795381903000000000,
	.realtime = 1795382000000000000,
	.monotonic = 97000000000,
	.boot_id = {0xc6, 0xe9, 0x27, 0xb5, 1, 2, 3},
};

static char dir[64];
static int dirfd_;

static int setup(void **state)
{
	(void)state;
	store_scratch(dir);
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dirfd_);
	store_remove(dir);
	return 0;
}

/* ---- helpers ----------------------------------------------------------- */

static uint8_t payload_byte(unsigned frame, unsigned at)
{
	return (uint8_t)(frame * 31 + at * 7 + (at >> 8));
}

static unsigned payload_len(unsigned frame)
{
	return PAYLOAD_1 + frame * 11;
}

static int put_frame(struct segment *s, unsigned i)
{
	struct frame f = {
		.type = FRAME_BLOCK,
		.first_ns = 1000 * i,
		.last_ns = 1000 * i + 999,
		.kinds = frame_kind_bit(i),
		.events = i,
	};
	struct buf b = {0};
	unsigned at;
	int err;

	segment_frame(&b);
	for (at = 0; at < payload_len(i); at++)
		buf_putc(&b, (char)payload_byte(i, at));
	err = segment_put(s, &f, &b);
	buf_done(&b);
	return err;
}

static struct segment *put_frames(void)
{
	struct segment *s;
	unsigned i;

	assert_int_equal(segment_create(&s, dirfd_, &head), 0);
	for (i = 0; i < FRAMES; i++)
		assert_int_equal(put_frame(s, i), 0);
	return s;
}

static void seal(struct segment *s)
{
	struct buf b = {0};

	assert_int_equal(segment_seal(s, &b), 0);
	assert_int_equal(segment_publish(s), 0);
	segment_close(s);
	buf_done(&b);
}

static uint8_t *load(bool sealed, size_t *ret_len)
{
	char name[SEGMENT_NAME_MAX], path[256];

	segment_name(&head, sealed, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return store_load(path, ret_len);
}

/* The file as bytes, and no longer in the directory. */
static uint8_t *make_file(bool sealed, size_t *ret_len)
{
	struct segment *s = put_frames();
	char name[SEGMENT_NAME_MAX];
	uint8_t *data;

	if (sealed)
		seal(s);
	else
		segment_close(s);
	data = load(sealed, ret_len);
	segment_name(&head, sealed, name);
	unlinkat(dirfd_, name, 0);
	return data;
}

static void open_bytes(struct segment_reader *r, const void *data, size_t len)
{
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(segment_open(r, fd), 0);
}

static bool is_block(struct segment_reader *r, const struct frame *f)
{
	struct buf b = {0};
	unsigned i = f->events, at;
	bool same;

	if (f->type != FRAME_BLOCK || segment_read(r, f, &b)) {
		buf_done(&b);
		return false;
	}
	same = b.len == payload_len(i) && f->first_ns == 1000 * i &&
	       f->last_ns == 1000 * i + 999 && f->seq == i + 1 &&
	       f->kinds == frame_kind_bit(i);
	for (at = 0; at < b.len; at++)
		same &= (uint8_t)b.data[at] == payload_byte(i, at);
	buf_done(&b);
	assert_true(same);
	return true;
}

struct walked {
	unsigned blocks; /* set of those that came whole */
	unsigned frames, damaged;
	uint64_t torn;
	int err;
};

static struct walked walk_bytes(const void *data, size_t len)
{
	struct segment_reader r;
	struct walked w = {0};
	struct frame f;
	int rc;

	open_bytes(&r, data, len);
	while ((rc = segment_next(&r, &f))) {
		if (rc == -EBADMSG) {
			w.damaged++;
			continue;
		}
		if (rc < 0)
			break;
		w.frames++;
		if (is_block(&r, &f))
			w.blocks |= 1U << f.events % 32;
	}
	w.err = rc;
	w.torn = r.torn_bytes;
	segment_done(&r);
	return w;
}

/* Offset where block @i begins; FRAMES: where the last one ends. */
static size_t block_offset(unsigned i)
{
	size_t at = HEADER + sizeof(struct disk_segment);
	unsigned j;

	for (j = 0; j < i; j++)
		at += HEADER + (payload_len(j) + 7) / 8 * 8;
	return at;
}

#define ALL ((1U << FRAMES) - 1)

/* ---- tests ------------------------------------------------------------- */

static void frames_come_back(void **state)
{
	struct walked w;
	uint8_t *data;
	size_t len;

	(void)state;
	data = make_file(true, &len);
	w = walk_bytes(data, len);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.frames, FRAMES + 3);
	assert_int_equal(w.blocks, ALL);
	assert_int_equal(w.damaged + w.torn, 0);
	free(data);
}

static void head_comes_back_from_both_ends(void **state)
{
	struct segment_reader r;
	struct segment_head h;
	struct buf b = {0};
	struct frame f;
	uint8_t *data;
	unsigned n = 0;
	size_t len;

	(void)state;
	data = make_file(true, &len);
	open_bytes(&r, data, len);
	while (segment_next(&r, &f) > 0) {
		if (f.type != FRAME_SEGMENT && f.type != FRAME_TRAILER)
			continue;
		assert_int_equal(segment_read(&r, &f, &b), 0);
		if (f.type == FRAME_SEGMENT)
			assert_int_equal(segment_get_head(&b, &h), 0);
		else
			assert_int_equal(segment_get_trailer(&b, &h), 0);
		assert_memory_equal(&h, &head, sizeof(h));
		n++;
	}
	assert_int_equal(n, 2);
	buf_done(&b);
	segment_done(&r);
	free(data);
}

static void names_come_back(void **state)
{
	static const char *const bad[] = {
		"",
		"LOCK",
		".weir",
		"20261122T210000Z-c6e927b5-0000000007",
		"20261122T210000Z-c6e927b5-000000007.weir",
		"20261122T210000Z-c6e927b5-0000000007.weir.tmp",
		"20261122T210000Z-c6e927b-00000000007.weir",
		"2026112XT210000Z-c6e927b5-0000000007.weir",
		"20261122T210000Z-c6e927b5-00000000a7.weir",
	};
	struct segment_head h;
	char name[SEGMENT_NAME_MAX];
	bool sealed;
	size_t i;

	(void)state;
	segment_name(&head, false, name);
	assert_string_equal(name, "20261122T211320Z-c6e927b5-"
				  "0000000007.weir.open");
	assert_true(segment_parse_name(name, &h, &sealed));
	assert_false(sealed);
	assert_int_equal(h.number, 7);
	assert_int_equal(h.realtime, head.realtime);
	assert_memory_equal(h.boot_id, head.boot_id, 4);
	segment_name(&head, true, name);
	assert_true(segment_parse_name(name, &h, &sealed));
	assert_true(sealed);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(segment_parse_name(bad[i], &h, &sealed));
}

static void index_lists_what_walking_finds(void **state)
{
	struct segment_reader r;
	struct segment_frames a, b;
	uint8_t *data;
	size_t len, i;

	(void)state;
	data = make_file(true, &len);
	open_bytes(&r, data, len);
	assert_int_equal(segment_frames(&r, &a), 0);
	segment_done(&r);
	assert_true(a.sealed);
	assert_int_equal(a.count, FRAMES + 1);
	data[len - 1] ^= 1; /* no trailer, no index */
	open_bytes(&r, data, len);
	assert_int_equal(segment_frames(&r, &b), 0);
	segment_done(&r);
	assert_int_equal(b.count, FRAMES + 3);
	for (i = 0; i < a.count; i++) {
		assert_int_equal(a.frame[i].offset, b.frame[i].offset);
		assert_int_equal(a.frame[i].type, b.frame[i].type);
		assert_int_equal(a.frame[i].payload_crc,
				 b.frame[i].payload_crc);
	}
	segment_frames_done(&a);
	segment_frames_done(&b);
	free(data);
}

static void a_file_cut_anywhere_is_read_up_to_there(void **state)
{
	size_t len, cut;
	uint8_t *data;
	unsigned i;

	(void)state;
	data = make_file(false, &len);
	assert_int_equal(len, block_offset(FRAMES));
	for (cut = 0; cut <= len; cut++) {
		struct walked w = walk_bytes(data, cut);
		size_t whole = 0;

		for (i = 0; i <= FRAMES; i++)
			if (block_offset(i) <= cut)
				whole = block_offset(i);
		assert_int_equal(w.err, 0);
		assert_int_equal(w.damaged, 0);
		assert_int_equal(w.torn, cut - whole);
		for (i = 0; i < FRAMES; i++)
			assert_int_equal(w.blocks >> i & 1,
					 block_offset(i + 1) <= cut);
	}
	free(data);
}

static void a_flipped_byte_costs_one_frame(void **state)
{
	size_t len, at;
	uint8_t *data;
	unsigned i;

	(void)state;
	data = make_file(true, &len);
	for (at = 0; at < len; at++) {
		unsigned want = ALL;
		struct walked w;

		for (i = 0; i < FRAMES; i++)
			if (at >= block_offset(i) && at < block_offset(i + 1))
				want &= ~(1U << i);
		data[at] ^= (uint8_t)(1U << at % 8);
		w = walk_bytes(data, len);
		data[at] ^= (uint8_t)(1U << at % 8);
		assert_int_equal(w.err, 0);
		assert_int_equal(w.blocks, want);
	}
	free(data);
}

static void lost_and_added_bytes_cost_little(void **state)
{
	size_t len, at;
	uint8_t *data;

	(void)state;
	data = make_file(true, &len);
	for (at = 0; at < block_offset(FRAMES); at += 5) {
		uint8_t *more = malloc(len + 3);
		struct walked w;

		memcpy(more, data, at);
		memset(more + at, 'W', 3);
		memcpy(more + at + 3, data + at, len - at);
		w = walk_bytes(more, len + 3);
		assert_int_equal(w.err, 0);
		assert_true(__builtin_popcount(w.blocks) >= FRAMES - 1);
		memcpy(more + at, data + at + 3, len - at - 3);
		w = walk_bytes(more, len - 3);
		assert_int_equal(w.err, 0);
		assert_true(__builtin_popcount(w.blocks) >= FRAMES - 2);
		free(more);
	}
	free(data);
}

static void zeros_at_the_end_are_a_cut_and_garbage_is_damage(void **state)
{
	uint8_t *data, *more;
	struct walked w;
	size_t len;

	(void)state;
	data = make_file(false, &len);
	more = calloc(1, len + 5000);
	memcpy(more, data, len);
	w = walk_bytes(more, len + 5000);
	assert_int_equal(w.torn, 5000);
	assert_int_equal(w.damaged, 0);
	assert_int_equal(w.blocks, ALL);
	memset(more + len, 'x', 5000);
	w = walk_bytes(more, len + 5000);
	assert_int_equal(w.torn, 0);
	assert_int_equal(w.damaged, 1);
	free(more);
	free(data);
}

/* As an attacker would who can choose the text of an event. */
static void a_frame_inside_a_damaged_one_is_not_taken(void **state)
{
	struct disk_frame fake = {
		.magic = FORMAT_MAGIC,
		.version = FORMAT_FRAMES,
		.type = FRAME_BLOCK,
		.segment = 0x12345678,
		.events = 31,
	};
	struct frame f = {.type = FRAME_BLOCK, .events = 1};
	struct segment *s;
	struct buf b = {0};
	struct walked w;
	uint8_t *data;
	size_t len;

	(void)state;
	fake.header_crc = crc32c(0, &fake, sizeof(fake) - 4);
	assert_int_equal(segment_create(&s, dirfd_, &head), 0);
	segment_frame(&b);
	buf_put(&b, &fake, sizeof(fake));
	buf_put(&b, &fake, sizeof(fake));
	assert_int_equal(segment_put(s, &f, &b), 0);
	seal(s);
	data = load(true, &len);
	data[block_offset(0) + 4] ^= 1;
	w = walk_bytes(data, len);
	assert_int_equal(w.damaged, 1);
	assert_int_equal(w.frames, 3); /* SEGMENT, INDEX, TRAILER */
	free(data);
	buf_done(&b);
}

/* ---- sizes and types from a file --------------------------------------- */

static void set_header(uint8_t *data, size_t at, struct disk_frame *d)
{
	d->header_crc = crc32c(0, d, sizeof(*d) - 4);
	memcpy(data + at, d, sizeof(*d));
}

static void sizes_in_a_file_are_not_trusted(void **state)
{
	static const uint32_t lies[] = {0, 1, 0x7fffffff, 0xfffffff8,
					0xffffffff};
	struct disk_frame d;
	uint8_t *data;
	size_t len, i;

	(void)state;
	data = make_file(false, &len);
	memcpy(&d, data + block_offset(1), sizeof(d));
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct walked w;

		d.payload_len = lies[i];
		d.raw_len = lies[i];
		set_header(data, block_offset(1), &d);
		w = walk_bytes(data, len);
		assert_int_equal(w.err, 0);
		assert_int_equal(w.blocks & 3, 1);
	}
	free(data);
}

static void unknown_types_are_skipped_unless_they_must_not(void **state)
{
	struct disk_frame d;
	struct walked w;
	uint8_t *data;
	size_t len;

	(void)state;
	data = make_file(false, &len);
	memcpy(&d, data + block_offset(1), sizeof(d));
	d.type = 99;
	set_header(data, block_offset(1), &d);
	w = walk_bytes(data, len);
	assert_int_equal(w.err, 0);
	assert_int_equal(w.frames, FRAMES + 1);
	assert_int_equal(w.blocks, ALL & ~2U);
	d.flags = FRAME_F_MUST;
	set_header(data, block_offset(1), &d);
	assert_int_equal(walk_bytes(data, len).err, -EPROTONOSUPPORT);
	d.flags = 0;
	d.version = FORMAT_FRAMES + 1;
	set_header(data, block_offset(1), &d);
	assert_int_equal(walk_bytes(data, len).err, -EPROTONOSUPPORT);
	free(data);
}

/* ---- writing ----------------------------------------------------------- */

static void a_segment_is_made_once_and_private(void **state)
{
	struct segment *s = put_frames(), *again = NULL;
	mode_t mask = umask(0);
	struct stat st;

	(void)state;
	assert_int_equal(segment_create(&again, dirfd_, &head), -EEXIST);
	assert_null(again);
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	segment_discard(s);
	umask(0777);
	s = put_frames();
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	segment_discard(s);
	umask(mask);
}

static void sealing_gives_back_what_was_allocated(void **state)
{
	struct segment *s = put_frames();
	char name[SEGMENT_NAME_MAX];
	struct stat st;

	(void)state;
	seal(s);
	segment_name(&head, true, name);
	assert_int_equal(fstatat(dirfd_, name, &st, 0), 0);
	assert_true(st.st_blocks * 512 <= 64 * 1024);
	unlinkat(dirfd_, name, 0);
}

static void a_removed_file_is_noticed(void **state)
{
	struct segment *s = put_frames();
	char name[SEGMENT_NAME_MAX];

	(void)state;
	segment_name(&head, false, name);
	assert_int_equal(unlinkat(dirfd_, name, 0), 0);
	assert_int_equal(put_frame(s, 1), -ENOENT);
	segment_close(s);
}

/* No signal, no half frame; and the end still fits. */
static void a_size_limit_is_kept(void **state)
{
	struct rlimit old, low;
	struct segment *s;
	struct walked w;
	uint8_t *data;
	size_t len;
	unsigned n = 0;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	low = old;
	low.rlim_cur = 8192;
	setrlimit(RLIMIT_FSIZE, &low);
	s = put_frames();
	while (!put_frame(s, FRAMES + n))
		n++;
	assert_int_equal(put_frame(s, FRAMES + n), -EFBIG);
	seal(s);
	setrlimit(RLIMIT_FSIZE, &old);
	data = load(true, &len);
	assert_true(n > 3 && len <= 8192);
	w = walk_bytes(data, len);
	assert_int_equal(w.frames, FRAMES + n + 3);
	assert_int_equal(w.damaged + w.torn, 0);
	free(data);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_come_back),
		T(head_comes_back_from_both_ends),
		T(names_come_back),
		T(index_lists_what_walking_finds),
		T(a_file_cut_anywhere_is_read_up_to_there),
		T(a_flipped_byte_costs_one_frame),
		T(lost_and_added_bytes_cost_little),
		T(zeros_at_the_end_are_a_cut_and_garbage_is_damage),
		T(a_frame_inside_a_damaged_one_is_not_taken),
		T(sizes_in_a_file_are_not_trusted),
		T(unknown_types_are_skipped_unless_they_must_not),
		T(a_segment_is_made_once_and_private),
		T(sealing_gives_back_what_was_allocated),
		T(a_removed_file_is_noticed),
		T(a_size_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
