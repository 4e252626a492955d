// SPDX-License-Identifier: BSD-2-Clause
/* archive_damage_test.c - every byte of an archive may be wrong or missing. */
#include "store.h"

#include <sys/syscall.h>

#include "../../user/block.h"
#include "../../user/segment.h"

#define BLOCKS 4
#define FEW    5
#define EVENTS (BLOCKS * FEW)

static struct store store;
static char dir[64], path[80];
static char name[512]; /* of the one segment */
static uint8_t *whole; /* its bytes */
static size_t len;
static struct segment_frames frames;

/* A page that the disk cannot give any more; in all files. */
#define PAGE 4096
static off_t bad_page = -1;

/* Instead of libc's, for all of the archive. */
ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	if (bad_page >= 0 && at >= bad_page && at < bad_page + PAGE) {
		errno = EIO;
		return -1;
	}
	if (bad_page > at && n > (size_t)(bad_page - at))
		n = (size_t)(bad_page - at);
	return syscall(SYS_pread64, fd, to, n, at);
}

/* ---- a small archive --------------------------------------------------- */

static void make(void)
{
	int i;

	store_init(&store);
	store.state_records = 2;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	for (i = 0; i < BLOCKS; i++) {
		assert_int_equal(store_fill(&store, FEW), 0);
		assert_int_equal(store_flush(&store), 0);
	}
	assert_int_equal(store_close(&store), 0);
	assert_true(store_find(path, ".weir", name));
	whole = store_load(name, &len);
}

static void list_frames(void)
{
	struct segment_reader r;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_int_equal(segment_open(&r, fd), 0);
	assert_int_equal(segment_frames(&r, &frames), 0);
	segment_done(&r);
}

static int setup(void **state)
{
	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	make();
	list_frames();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bad_page = -1;
	segment_frames_done(&frames);
	free(whole);
	store_done(&store);
	store_remove(dir);
	return 0;
}

static void put_bytes(const uint8_t *data, size_t n)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

/* Without INDEX and TRAILER, and called ".open": as when it was cut off. */
static void unseal(void)
{
	const struct frame *last = &frames.frame[frames.count - 1];
	char open_name[600];

	len = last->offset + frame_bytes(last);
	while (frames.frame[frames.count - 1].type != FRAME_BLOCK)
		frames.count--;
	last = &frames.frame[frames.count - 1];
	len = last->offset + frame_bytes(last);
	put_bytes(whole, len);
	snprintf(open_name, sizeof(open_name), "%s.open", name);
	assert_int_equal(rename(name, open_name), 0);
	strcpy(name, open_name);
}

/* The frame that holds a byte, or NULL: INDEX or TRAILER. */
static const struct frame *frame_at(size_t at)
{
	size_t i;

	for (i = 0; i < frames.count; i++)
		if (at >= frames.frame[i].offset &&
		    at < frames.frame[i].offset + frame_bytes(&frames.frame[i]))
			return &frames.frame[i];
	return NULL;
}

static void flip(size_t at)
{
	uint8_t byte = whole[at] ^ (uint8_t)(1U << at % 8);
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

static void restore(size_t at)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, &whole[at], 1, (off_t)at), 1);
	close(fd);
}

/* ---- flipped bytes ----------------------------------------------------- */

/* The index knows each frame: a wrong header costs nothing, its payload one. */
static void a_flipped_byte_costs_one_block_at_most(void **state)
{
	struct verify_report v;
	size_t at;

	(void)state;
	for (at = 0; at < len; at++) {
		const struct frame *f = frame_at(at);
		bool lost = f && f->type == FRAME_BLOCK && at >= f->offset + 64;
		struct store_read r;

		flip(at);
		r = store_read(path);
		assert_int_equal(r.events, lost ? EVENTS - FEW : EVENTS);
		assert_true(r.err == -EBADMSG || (!lost && !r.err));
		assert_true(lost || r.hash == store.hash);
		assert_int_equal(store_verify(path, &v), -EBADMSG);
		assert_true(v.damaged >= 1);
		assert_int_equal(v.unaccounted, 0);
		restore(at);
	}
}

static void so_it_does_in_one_that_was_cut_off(void **state)
{
	struct verify_report v;
	size_t at;
	int err;

	(void)state;
	unseal();
	for (at = 0; at < len; at++) {
		const struct frame *f = frame_at(at);
		struct store_read r;

		flip(at);
		r = store_read(path);
		err = store_verify(path, &v);
		restore(at);
		if (f->type == FRAME_SCHEMA) {
			assert_int_equal(r.err, -EBADMSG);
			assert_int_equal(err, -EBADMSG);
			continue;
		}
		assert_int_equal(r.events, f->type == FRAME_BLOCK ? EVENTS - FEW
								  : EVENTS);
		assert_true(err == -EBADMSG || v.torn_bytes);
	}
}

/* ---- cuts -------------------------------------------------------------- */

static unsigned events_before(size_t cut)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < frames.count; i++)
		if (frames.frame[i].type == FRAME_BLOCK &&
		    frames.frame[i].offset + frame_bytes(&frames.frame[i]) <=
			    cut)
			n += frames.frame[i].events;
	return n;
}

static bool has_schema(size_t cut)
{
	size_t i;

	for (i = 0; i < frames.count; i++)
		if (frames.frame[i].type == FRAME_SCHEMA)
			return frames.frame[i].offset +
				       frame_bytes(&frames.frame[i]) <=
			       cut;
	return false;
}

static void what_was_cut_off_anywhere_is_read_up_to_there(void **state)
{
	struct verify_report v;
	size_t cut;
	int err;

	(void)state;
	unseal();
	for (cut = len; cut--;) {
		struct store_read r;

		assert_int_equal(truncate(name, (off_t)cut), 0);
		r = store_read(path);
		err = store_verify(path, &v);
		if (!has_schema(cut)) {
			assert_int_equal(r.err, -EBADMSG);
			assert_int_equal(err, -EBADMSG);
			continue;
		}
		assert_int_equal(r.err, 0);
		assert_int_equal(r.events, events_before(cut));
		assert_int_equal(r.info.open_segments, 1);
		assert_int_equal(r.info.damaged, 0);
		assert_int_equal(err, 0);
		assert_int_equal(v.events, events_before(cut));
		assert_int_equal(v.unsealed, 1);
	}
}

static void a_sealed_segment_made_shorter_is_damaged(void **state)
{
	struct verify_report v;
	size_t cut;

	(void)state;
	for (cut = len; cut--;) {
		struct store_read r;

		assert_int_equal(truncate(name, (off_t)cut), 0);
		r = store_read(path);
		assert_int_equal(r.events,
				 has_schema(cut) ? events_before(cut) : 0);
		assert_int_equal(store_verify(path, &v), -EBADMSG);
	}
}

/* ---- worse ------------------------------------------------------------- */

static void random_damage_is_survived(void **state)
{
	uint8_t *copy = malloc(len);
	uint64_t seed = 42;
	struct verify_report v;
	unsigned i, j;

	(void)state;
	for (i = 0; i < 1500; i++) {
		memcpy(copy, whole, len);
		for (j = store_random(&seed) % 40 + 1; j--;)
			copy[store_random(&seed) % len] =
				(uint8_t)store_random(&seed);
		if (!memcmp(copy, whole, len))
			continue; /* the one byte was the same by chance */
		put_bytes(copy, len);
		assert_true(store_read(path).events <= EVENTS);
		assert_int_equal(store_verify(path, &v), -EBADMSG);
	}
	free(copy);
}

/* With right checksums: what a hostile file would have. */
static void records_that_lie_are_left_out(void **state)
{
	struct store_record r;
	struct event ev;
	struct verify_report v;
	struct store_read read;

	(void)state;
	assert_int_equal(store_open(&store, path, true, 0), 0);
	store_begin(&r, EV_SYSCALL_DONE, store.ts, 0, 64);
	assert_int_equal(store_append(&store, &r), 0);
	/* views that nobody checked: unknown kind, string outside, short */
	ev = (struct event){.h = store_hdr(&r), .len = 64};
	store_hdr(&r)->kind = 77;
	archive_append(store.writer, &ev);
	store_begin(&r, EV_SYSCALL_DONE, store.ts, 0, 64);
	memcpy(r.data + 56, &(struct weir_str){60000, 5000, 5000},
	       sizeof(struct weir_str));
	archive_append(store.writer, &ev);
	store_begin(&r, EV_SYSCALL_DONE, store.ts, 0, 32);
	archive_append(store.writer, &ev);
	store_begin(&r, EV_SYSCALL_DONE, store.ts, 0, 64);
	assert_int_equal(store_append(&store, &r), 0);
	store_close(&store);
	read = store_read(path);
	assert_int_equal(read.err, -EBADMSG);
	assert_int_equal(read.events, EVENTS + 2);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.damaged, 3);
	assert_int_equal(v.unaccounted, 0);
}

static void a_record_of_no_length_ends_the_walk(void **state)
{
	static const char zeros[64];
	struct block b;
	size_t at = 0;

	(void)state;
	assert_int_equal(block_init(&b), 0);
	buf_put(&b.rows, zeros, sizeof(zeros));
	assert_null(block_next(&b, &at));
	assert_int_equal(at, 0);
	block_done(&b);
}

/* What the lost block said of tasks is made good by the next segment's state.
 */
static void the_state_is_taken_again_after_damage(void **state)
{
	const struct frame *f;

	(void)state;
	assert_int_equal(store_open(&store, path, true, 0), 0);
	assert_int_equal(store_fill(&store, FEW), 0);
	archive_tick(store.writer, clock_now() + 1000 * NS_PER_S);
	assert_int_equal(store_fill(&store, FEW), 0);
	assert_int_equal(store_close(&store), 0);
	/* two runs, the second of two segments: a state for each run */
	assert_int_equal(store_read(path).context, 4);
	segment_frames_done(&frames);
	free(whole);
	assert_true(store_find(path, "-0000000002.weir", name));
	whole = store_load(name, &len);
	list_frames();
	for (f = frames.frame; f->type != FRAME_BLOCK; f++)
		;
	flip(f->offset + 64);
	assert_int_equal(store_read(path).err, -EBADMSG);
	assert_int_equal(store_read(path).context, 6);
}

/* The file's frame at @at: its checksums made right. See archive_format.h. */
static void sum_up(size_t at, size_t payload)
{
	uint32_t crc = crc32c(0, whole + at + 64, payload);

	memcpy(whole + at + 52, &crc, sizeof(crc));
	crc = crc32c(0, whole + at, 60);
	memcpy(whole + at + 60, &crc, sizeof(crc));
}

/* Readers leave out what it says has nothing for them. */
static void an_index_that_lies_is_found(void **state)
{
	const struct frame *last = &frames.frame[frames.count - 1];
	size_t index = last->offset + frame_bytes(last), at = index + 64, i;
	struct verify_report v;
	uint32_t crc;

	(void)state;
	for (i = 0; frames.frame[i].type != FRAME_BLOCK; i++)
		at += 64;
	memset(whole + at + 32, 0, 8); /* kinds: none */
	crc = crc32c(0, whole + at, 60);
	memcpy(whole + at + 60, &crc, sizeof(crc));
	sum_up(index, 64 * frames.count);
	put_bytes(whole, len);
	assert_int_equal(store_read(path).events, EVENTS - FEW);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.damaged, 1);
}

/* A segment of its own, with right checksums, and two frames of @type. */
static void make_with(uint8_t type, const struct buf *first,
		      const struct buf *second)
{
	struct segment_head head = {.run = 7, .number = 9, .realtime = 1};
	struct segment_clock clock = {0};
	struct block_codec *codec;
	struct segment *s;
	struct frame f;
	struct buf b = {0};
	int fd, i;

	assert_int_equal(unlink(name), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(block_codec_new(&codec), 0);
	assert_int_equal(segment_create(&s, fd, &head), 0);
	for (i = 0; i < 3; i++) {
		const struct buf *what = i < 2 ? first : second;

		f = (struct frame){.type = i ? type : FRAME_SCHEMA};
		segment_frame(&b);
		assert_int_equal(
			block_pack(codec, what->data, what->len, &f, &b), 0);
		assert_int_equal(segment_put(s, &f, &b), 0);
	}
	f = (struct frame){.type = FRAME_CLOCK};
	segment_frame(&b);
	segment_put_clock(&b, &clock);
	assert_int_equal(segment_put(s, &f, &b), 0);
	assert_int_equal(segment_seal(s, &b), 0);
	assert_int_equal(segment_publish(s), 0);
	segment_name(&head, true, name + strlen(path) + 1);
	segment_close(s);
	block_codec_free(codec);
	buf_done(&b);
	close(fd);
}

static void put_plain(struct segment *s, struct frame *f,
		      const struct segment_clock *clock)
{
	struct buf b = {0};

	segment_frame(&b);
	if (clock)
		segment_put_clock(&b, clock);
	assert_int_equal(segment_put(s, f, &b), 0);
	buf_done(&b);
}

/* A segment of boot @boot, whose clock and one event say what they like. */
static void make_of_boot(uint8_t boot, uint64_t realtime, uint64_t ns)
{
	struct segment_head head = {.run = boot,
				    .number = 100U + boot,
				    .realtime = 1,
				    .boot_id = {boot}};
	struct segment_clock clock = {.realtime = realtime};
	struct frame f = {.type = FRAME_SCHEMA}, block = {.type = FRAME_BLOCK};
	struct block_codec *codec;
	struct buf b = {0}, schema = {0};
	struct segment *s;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	schema_encode(store.schema, &schema);
	assert_int_equal(block_codec_new(&codec), 0);
	assert_int_equal(segment_create(&s, fd, &head), 0);
	segment_frame(&b);
	assert_int_equal(block_pack(codec, schema.data, schema.len, &f, &b), 0);
	assert_int_equal(segment_put(s, &f, &b), 0);
	f = (struct frame){.type = FRAME_CLOCK};
	put_plain(s, &f, &clock);
	block.events = 1;
	block.kinds = UINT64_MAX;
	block.first_ns = block.last_ns = ns;
	put_plain(s, &block, NULL);
	assert_int_equal(segment_seal(s, &b), 0);
	assert_int_equal(segment_publish(s), 0);
	segment_close(s);
	block_codec_free(codec);
	buf_done(&b);
	buf_done(&schema);
	close(fd);
}

/* What is wrong is seen by UBSan. */
static void times_that_no_clock_shows_are_survived(void **state)
{
	struct archive_info info;
	struct archive *a;
	const char *why;

	(void)state;
	make_of_boot(1, (uint64_t)INT64_MIN, INT64_MAX);
	make_of_boot(2, INT64_MAX, INT64_MAX - 1);
	make_of_boot(3, 1, (uint64_t)INT64_MIN);
	assert_int_equal(archive_open(&a, (char *[]){path}, 1, &why), 0);
	archive_info(a, &info);
	assert_int_equal(info.boots, 4);
	archive_free(a);
	assert_int_equal(store_read(path).err, -EBADMSG);
}

static uint64_t damaged(void)
{
	struct verify_report v;

	store_verify(path, &v);
	return v.damaged;
}

/* Of which readers take one, and verify took another. */
static void what_is_no_schema_or_a_second_one_is_found(void **state)
{
	struct buf one = {0}, other = {0}, none = {0};
	struct schema *s = store_schema_begun("something else");

	(void)state;
	schema_encode(store.schema, &one);
	schema_encode(s, &other);
	buf_put(&none, one.data, one.len / 2);
	make_with(FRAME_SCHEMA, &one, &one);
	assert_int_equal(damaged(), 0);
	make_with(FRAME_SCHEMA, &one, &other);
	assert_int_equal(damaged(), 1);
	make_with(FRAME_SCHEMA, &one, &none);
	assert_int_equal(damaged(), 1);
	make_with(FRAME_RESUME, &one, &none);
	assert_true(damaged() > 0);
	schema_free(s);
	buf_done(&one);
	buf_done(&other);
	buf_done(&none);
}

#define MANY 300 /* events of a block: about two pages */

static void a_page_that_cannot_be_read_costs_what_is_in_it(void **state)
{
	struct verify_report v;
	struct store_read r;
	off_t end;
	int i;

	(void)state;
	store_remove(path);
	store.appended = 0;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	for (i = 0; i < 2 * BLOCKS; i++) {
		assert_int_equal(store_fill(&store, MANY), 0);
		assert_int_equal(store_flush(&store), 0);
	}
	assert_int_equal(store_close(&store), 0);
	assert_true(store_find(path, ".weir", name));
	free(whole);
	whole = store_load(name, &len);
	assert_true(len > 10 * PAGE);
	end = (off_t)len;
	for (bad_page = 0; bad_page < end; bad_page += PAGE) {
		r = store_read(path);
		assert_int_equal(r.err, -EBADMSG);
		assert_in_range(r.events, store.appended - 3 * MANY,
				store.appended);
		assert_int_equal(store_verify(path, &v), -EBADMSG);
		assert_true(v.damaged > 0);
		/* a header that is gone stands in the index as well */
		assert_in_range(v.events, store.appended - 3 * MANY, r.events);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flipped_byte_costs_one_block_at_most),
		T(so_it_does_in_one_that_was_cut_off),
		T(what_was_cut_off_anywhere_is_read_up_to_there),
		T(a_sealed_segment_made_shorter_is_damaged),
		T(random_damage_is_survived),
		T(records_that_lie_are_left_out),
		T(a_record_of_no_length_ends_the_walk),
		T(the_state_is_taken_again_after_damage),
		T(an_index_that_lies_is_found),
		T(times_that_no_clock_shows_are_survived),
		T(what_is_no_schema_or_a_second_one_is_found),
		T(a_page_that_cannot_be_read_costs_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
