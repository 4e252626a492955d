/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment.h - one file of an archive: a chain of frames, written and walked.
 *
 * segment.c (writing), segment_read.c (reading) and segment_payload.c (what is
 * in the small frames) are the only ones that know the layout on disk,
 * archive_format.h. A frame is whole on disk or not there: a write that fails
 * is cut back to the end of the frame before it.
 *
 * While a segment is written, room for the frames that seal it is kept
 * allocated behind its end, so that on a full disk the losses can still be
 * told (segment.sealing).
 */
#ifndef WEIR_SEGMENT_H
#define WEIR_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "account.h"
#include "buf.h"

/* On disk: append only. */
enum frame_type {
	FRAME_SEGMENT = 1,
	FRAME_SCHEMA = 2,
	FRAME_CLOCK = 3,
	FRAME_STATE = 4,
	FRAME_BLOCK = 5,
	FRAME_LOSS = 6,
	FRAME_META = 7,
	FRAME_INDEX = 8,
	FRAME_TRAILER = 9,
	FRAME_RESUME = 10,
	FRAME_TYPES,
};

#define FRAME_F_MUST 0x0001 /* who does not know the type must not go on */

/* How the payload is encoded. On disk: append only. */
enum frame_encoding {
	FRAME_PLAIN = 0,
	FRAME_ZSTD = 1,	   /* one zstd frame over all of it */
	FRAME_COLUMNS = 2, /* BLOCK and STATE: columns (columns_internal.h) */
};

/* What a reader allocates at most, whatever a file says. */
#define FRAME_PAYLOAD_MAX (64U << 20)
#define FRAME_RAW_MAX	  (64U << 20)

/* A frame's header. The writer sets what is not marked. */
struct frame {
	uint8_t type;
	uint16_t flags;
	uint32_t encoding;
	uint64_t first_ns, last_ns;
	uint64_t kinds;
	uint32_t events;
	uint32_t raw_len;
	uint32_t payload_len; /* set by segment_put() and below */
	uint32_t payload_crc;
	uint32_t segment, seq;
	uint64_t offset; /* in the file */
};

/**
 * frame_kind_bit - the bit of a kind in frame.kinds
 *
 * 256 kinds share 64 bits, so a set bit says "perhaps"; the fold keeps all
 * kinds known today apart.
 */
static inline uint64_t frame_kind_bit(unsigned kind)
{
	return 1ULL << ((kind + 9 * (kind >> 6)) & 63);
}

/** frame_bytes - Return: its size on disk: header, payload and padding. */
uint64_t frame_bytes(const struct frame *f);

/* Whose segment it is, and when it began. */
struct segment_head {
	uint64_t run;	       /* random: one run of a recorder */
	uint64_t number;       /* in the directory: 1, 2, … */
	uint64_t run_realtime; /* ns since the epoch when the run began */
	uint64_t realtime;     /* when the segment began */
	uint64_t monotonic;    /* the same instant */
	uint8_t boot_id[16];
};

#define SEGMENT_NAME_MAX 64

/** segment_name - the file's name (archive_format.h), sealed or not, into @ret.
 */
void segment_name(const struct segment_head *h, bool sealed,
		  char ret[SEGMENT_NAME_MAX]);

/**
 * segment_parse_name - is this a segment's name?
 * Return: true, with number, realtime (to the second) and the first 4 bytes
 * of the boot id in @ret, and whether it is sealed.
 */
bool segment_parse_name(const char *name, struct segment_head *ret,
			bool *ret_sealed);

/* ---- writing ----------------------------------------------------------- */

/*
 * A segment being written. Thread: the writer's; segment_sync() and
 * segment_publish() may run in another, one of them at a time, which may read
 * @size, by an atomic load: so much has been written.
 */
struct segment {
	int fd, dirfd;	    /* owned */
	uint64_t size;	    /* end of the last whole frame */
	uint64_t allocated; /* end of what is allocated on disk */
	uint64_t limit;	    /* no byte beyond (RLIMIT_FSIZE, when created) */
	uint32_t id;	    /* frame.segment */
	uint32_t seq;
	uint32_t spare;	  /* room kept for what is written when sealing */
	bool sealing;	  /* set by the owner: now use that room */
	bool sealed;	  /* TRAILER is written */
	bool listed;	  /* the directory is synced: segment_sync()'s */
	struct buf index; /* headers so far */
	struct segment_head head;
	struct segment *next; /* the owner's, for a list */
};

/* Bytes asked of the file system at once, the first when it is created. */
#define SEGMENT_STEP (1U << 20)

/**
 * segment_create - make the file, 0600 whatever the umask, and begin it
 * @dirfd: borrowed; the segment keeps a duplicate
 *
 * Return: 0; -EEXIST; -ENOSPC, -EROFS, … of the system; -ENOMEM. On failure
 * no file is left.
 */
int segment_create(struct segment **ret, int dirfd,
		   const struct segment_head *head);

/** segment_frame - empty @b, but for the room a header needs before a payload.
 */
void segment_frame(struct buf *b);

/**
 * segment_put - append a frame
 * @f: its header, completed here; raw_len 0 stands for the payload's length
 * @b: segment_frame(), then the payload; padded here, and its header laid down
 *
 * Return: 0; -ENOSPC the disk is full, or would have no room left to seal;
 * -EFBIG the same by RLIMIT_FSIZE; -ENOENT the file was removed; -errno of
 * pwrite(2); -ENOMEM. On failure the file is as before.
 */
int segment_put(struct segment *s, struct frame *f, struct buf *b);

/** segment_would_take - Return: what it will have allocated once a frame of so
 * many bytes was put; where the disk is nearly full, less. */
uint64_t segment_would_take(const struct segment *s, uint64_t len);

/** segment_seal - write INDEX (not where there was no memory for it) and
 * TRAILER, give back what is allocated behind. @b: scratch. Return: as
 * segment_put(). */
int segment_seal(struct segment *s, struct buf *b);

/** segment_sync - what was put, to disk; the first time its name as well.
 * Return: 0; -errno of fdatasync(2), fsync(2) of the directory. */
int segment_sync(struct segment *s);

/**
 * segment_publish - all of it to disk, and when sealed take off ".open"
 * Return: 0; -errno of fdatasync, renameat2 or fsync of the directory.
 */
int segment_publish(struct segment *s);

/** segment_discard - remove the file again, if it was made, and free.
 * NULL-safe. */
void segment_discard(struct segment *s);

/** segment_close - close and free, the file stays. NULL-safe. */
void segment_close(struct segment *s);

/* ---- reading ----------------------------------------------------------- */

/* Bytes in which no frame could be found. */
struct segment_damage {
	uint64_t offset, bytes;
};

/*
 * A walk over the frames of a file. What the disk cannot give any more (EIO) is
 * damage like any other. Thread: one.
 */
struct segment_reader {
	int fd;	       /* owned */
	uint64_t size; /* when it was opened; a live one grows */
	uint64_t pos;  /* of the next header */
	uint32_t id;   /* frame.segment, once known */
	bool id_known;
	uint64_t torn_bytes;	      /* at the end: a write that was cut off */
	struct segment_damage damage; /* the last one found */
};

/**
 * segment_open - begin to read
 * @fd: regular file, owned from here on even on failure
 * Return: 0; -EBADMSG not a regular file; -errno of fstat(2).
 */
int segment_open(struct segment_reader *r, int fd);

/** segment_done - close the file. Safe after a failed segment_open(). */
void segment_done(struct segment_reader *r);

/**
 * segment_next - the next frame, by walking the headers
 *
 * Return: 1 with @ret; 0 at the end (then see torn_bytes); -EBADMSG bytes that
 * are no frame were left out (see damage): go on; -EPROTONOSUPPORT a newer
 * format: stop; -errno of pread(2): stop.
 */
int segment_next(struct segment_reader *r, struct frame *ret);

/**
 * segment_read - the payload of a frame into @b, as it is on disk
 * Return: 0, without the padding; -EBADMSG its checksum is wrong, it is not all
 * there, the disk cannot give it (EIO), or it is longer than FRAME_PAYLOAD_MAX;
 * -ENOMEM; -errno of pread(2).
 */
int segment_read(struct segment_reader *r, const struct frame *f,
		 struct buf *b);

/* All frames of a segment. */
struct segment_frames {
	struct frame *frame; /* in order of the file */
	size_t count;
	uint32_t damaged; /* regions that are no frames */
	bool sealed;	  /* has INDEX and TRAILER */
};

/**
 * segment_frames - list the frames: from INDEX if it is sound, else by walking
 * Return: 0, to be freed with segment_frames_done(); -EPROTONOSUPPORT;
 * -ENOMEM; -errno of pread(2).
 */
int segment_frames(struct segment_reader *r, struct segment_frames *ret);

/** segment_frames_done - free the list. Zeroed: no-op. */
void segment_frames_done(struct segment_frames *s);

/**
 * segment_more - add the frames that were written since
 *
 * A frame that is not whole yet is left for another time; so are bytes at the
 * end that are no frame.
 * Return: how many there are; -EPROTONOSUPPORT; -ENOMEM; -errno of fstat(2),
 * pread(2). On failure those found before are in the list.
 */
int segment_more(struct segment_reader *r, struct segment_frames *s);

/* ---- the small payloads ------------------------------------------------ */

/*
 * segment_put_*() append to a buffer begun with segment_frame(), or to one that
 * is packed into a frame (block.h); segment_get_*() read what segment_read()
 * gave, or what was unpacked of it, which may be longer than is known here.
 * Return of the latter: 0; -EBADMSG too short. Out of memory: buf_err().
 */

/** segment_put_head, segment_get_head - SEGMENT; getting also -EPROTONOSUPPORT:
 * needs a newer reader. */
void segment_put_head(struct buf *b, const struct segment_head *h);
int segment_get_head(const struct buf *b, struct segment_head *ret);

/* One instant on all clocks, ns (clock_gettime(2)). */
struct segment_clock {
	uint64_t monotonic, realtime, boottime, tai;
};

/** segment_put_clock, segment_get_clock - CLOCK. */
void segment_put_clock(struct buf *b, const struct segment_clock *c);
int segment_get_clock(const struct buf *b, struct segment_clock *ret);

#define LOSS_BEGIN 0x1 /* before the first event of the segment */
#define LOSS_END   0x2 /* the recorder ended in order: all is settled */
#define LOSS_BLIND 0x4 /* nobody gave an account: only losses are known */

/**
 * segment_put_account, segment_get_account - LOSS
 * @flags: LOSS_*
 *
 * Getting also -ENOMEM; *ret_rows is the caller's to free, never NULL; sources
 * are ended by a NUL, nothing else of a row is checked. RESUME begins the same
 * way: segment_account_len() tells how many bytes of it that is.
 */
void segment_put_account(struct buf *b, const struct account_row *rows,
			 size_t count, uint32_t flags);
int segment_get_account(const struct buf *b, struct account_row **ret_rows,
			size_t *ret_count, uint32_t *ret_flags);
/** segment_account_len - Return: bytes of the account in @b; 0: none. */
size_t segment_account_len(const struct buf *b);

/** segment_put_meta - append a pair to META. */
void segment_put_meta(struct buf *b, const char *name, const char *value);
/** segment_each_meta - each pair that is whole; the strings are in @b. */
void segment_each_meta(const struct buf *b,
		       void (*fn)(void *arg, const char *name,
				  const char *value),
		       void *arg);
/** segment_get_meta - Return: the first value of that name, in @b, or NULL. */
const char *segment_get_meta(const struct buf *b, const char *name);

/** segment_get_trailer - the SEGMENT payload in TRAILER. Return: as get_head.
 */
int segment_get_trailer(const struct buf *b, struct segment_head *ret);

#endif
