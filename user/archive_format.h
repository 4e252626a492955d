/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_format.h - the bytes of an archive on disk. Only segment*.c include
 * it.
 *
 * An archive is a directory, 0700, of files, 0600:
 *
 *   LOCK                                  record-locked by the recorder
 *   <utc>-<boot8>-<seq10>.weir            segment, sealed
 *   <utc>-<boot8>-<seq10>.weir.open       segment being written, or cut off
 *
 * <utc> is YYYYMMDDTHHMMSSZ of the segment's start, <boot8> the first 8 hex
 * digits of the boot id, <seq10> the segment's number: 1, 2, … over the life
 * of the directory, so a number that is missing was removed.
 *
 * A segment is a chain of frames, append-only and never rewritten. A frame is
 * a header of 64 bytes, a payload, and zeros up to a multiple of 8; the next
 * one follows at once:
 *
 *   SEGMENT META SCHEMA CLOCK LOSS STATE* (RESUME|BLOCK|CLOCK|LOSS|STATE)*
 *   LOSS SCHEMA INDEX TRAILER
 *
 * All integers are little-endian. Frames of an unknown type are skipped by
 * their length, unless FRAME_F_MUST is set. Every frame bears the random
 * number of its segment, so that bytes in a damaged file that look like a
 * frame (an older file's, or made up in the text of an event) are not taken
 * for one. STATE after the first BLOCK says that events before it were lost.
 * The second SCHEMA and the trailer's copy of the SEGMENT payload stand in
 * when the first are damaged. INDEX and TRAILER only accelerate: a segment
 * without them is read by walking the headers.
 *
 * A recorder that another may go on for (--pin) puts a RESUME frame before each
 * BLOCK: where in the kernel's buffers its successor goes on, and the account
 * there. It holds if the next frame is the BLOCK it was written for, and is
 * whole; without events it holds alone. So wherever a file is cut off, what it
 * says was taken is what is in it.
 *
 * A change that an old reader would misread raises `min_reader`; anything else
 * is a new frame type, a new encoding or a longer row.
 */
#ifndef WEIR_ARCHIVE_FORMAT_H
#define WEIR_ARCHIVE_FORMAT_H

#include <assert.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "archives are little-endian, and so must the machine be"
#endif

#define FORMAT_MAGIC   0x52494557U /* "WEIR" */
#define FORMAT_FRAMES  1	   /* layout of the frame header */
#define FORMAT_VERSION 1	   /* of what is in the frames */

#define FORMAT_ALIGN 8

/* Header of every frame. A type is one of enum frame_type (segment.h). */
struct disk_frame {
	uint32_t magic;
	uint8_t version; /* FORMAT_FRAMES */
	uint8_t type;
	uint16_t flags;	   /* FRAME_F_* */
	uint32_t segment;  /* random, the same in all of one file */
	uint32_t seq;	   /* 0, 1, 2, … in the file */
	uint64_t first_ns; /* earliest time stamp in it, monotonic */
	uint64_t last_ns;  /* latest */
	uint64_t kinds;	   /* set of event kinds, frame_kind_bit() */
	uint32_t events;
	uint32_t raw_len;     /* of the payload, decoded */
	uint32_t payload_len; /* bytes that follow, padding not counted */
	uint32_t payload_crc; /* CRC32C over payload and padding */
	uint32_t encoding;    /* enum frame_encoding */
	uint32_t header_crc;  /* CRC32C over the 60 bytes before it */
};
static_assert(sizeof(struct disk_frame) == 64, "frame header");

/* SEGMENT; also the end of TRAILER. */
struct disk_segment {
	uint32_t format;       /* FORMAT_VERSION of the writer */
	uint32_t min_reader;   /* FORMAT_VERSION a reader must know */
	uint64_t run;	       /* random: one run of a recorder */
	uint64_t number;       /* as in the name */
	uint64_t run_realtime; /* ns since the epoch when the run began */
	uint64_t realtime;     /* when the segment began */
	uint64_t monotonic;    /* the same instant, CLOCK_MONOTONIC ns */
	uint8_t boot_id[16];   /* of /proc/sys/kernel/random/boot_id */
};
static_assert(sizeof(struct disk_segment) == 64, "SEGMENT");

/* CLOCK: one instant on all clocks, ns. */
struct disk_clock {
	uint64_t monotonic;
	uint64_t realtime;
	uint64_t boottime;
	uint64_t tai;
};
static_assert(sizeof(struct disk_clock) == 32, "CLOCK");

/* LOSS: the account up to here, all rows since the run began. */
struct disk_loss {
	uint32_t rows;
	uint32_t row_size; /* sizeof(struct disk_account) or more */
	uint32_t flags;	   /* LOSS_* (segment.h) */
	uint32_t zero;
};
static_assert(sizeof(struct disk_loss) == 16, "LOSS");

/* One row of it, struct account_row in its order. */
struct disk_account {
	char source[16];
	uint32_t cpu;
	uint32_t zero;
	uint64_t submitted;
	uint64_t filtered;
	uint64_t shed;
	uint64_t lost_kernel;
	uint64_t missed;
	uint64_t delivered;
	uint64_t lost_main;
	uint64_t late;
	uint64_t rejected;
	uint64_t context;
	uint64_t kept;
	uint64_t lost_archive;
};
static_assert(sizeof(struct disk_account) == 120, "row of LOSS");

/* TRAILER: the last frame, found from the end of the file. */
struct disk_trailer {
	uint64_t index_offset; /* of the INDEX frame */
	uint64_t frames;       /* headers in INDEX */
	struct disk_segment segment;
};
static_assert(sizeof(struct disk_trailer) == 80, "TRAILER");

/*
 * LOSS, SCHEMA, STATE, BLOCK and RESUME are encoded, as their header says; the
 * rest is plain. These payloads have no struct of their own:
 *
 *   META    pairs of strings, name and value, each ended by a NUL
 *   SCHEMA  schema_encode()
 *   BLOCK   event records (bpf/events.h) one after the other, each padded with
 *           zeros to a multiple of 8; or the same events as columns, if the
 *           encoding is FRAME_COLUMNS (columns_internal.h)
 *   STATE   as BLOCK
 *   RESUME  as LOSS, its rows as of the end of the BLOCK that follows; then
 *           what the recorder has to tell its successor (resume.h)
 *   INDEX   the headers of all frames before it, in order
 */

#endif
