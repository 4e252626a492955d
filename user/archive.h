/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive.h - what was captured, on disk: write it, read it, check it.
 *
 * An archive is a directory of segments; each decodes alone: it begins with
 * the schema, a clock and the state of all tasks. Layout: archive_format.h;
 * only segment*.c know it. Files are made 0600 in a 0700 directory, opened by
 * directory descriptor, never through a symbolic link.
 */
#ifndef WEIR_ARCHIVE_H
#define WEIR_ARCHIVE_H

#include "account.h"
#include "event.h"
#include "schema.h"

/* ---- writing ----------------------------------------------------------- */

/*
 * Thread: one, but archive_rotate(). All returns of -errno below are about the
 * disk or memory; after any of them the writer can be used on.
 *
 * Events are copied into a block; a full one goes to a thread that packs it,
 * then to one that writes it, and another calls fdatasync: who hands events
 * over waits for none of them. When so many blocks as there can be are on their
 * way (archive_queue.h) the one at hand is lost, and counted. What became of a
 * block is learnt in a later call, which returns the failure.
 */
struct archive_writer;
struct archive_dir;

struct archive_options {
	const char *path;	 /* directory; made if missing */
	struct archive_dir *dir; /* it, opened and locked; what is in it is
				  * taken over. NULL: by path */
	bool exist_ok;		 /* go on in an archive that is there */
	uint64_t segment_bytes;	 /* a new one from here on; 0: see below */
	uint64_t segment_ns;	 /* or after so long; 0: see below */
	uint64_t keep_bytes;	 /* of all segments; 0: all */
	uint64_t keep_ns;	 /* remove segments older than that; 0: none */
	const char *command;	 /* what was recorded, for META; may be NULL */
	const char *asked;	 /* and how: options, for META; "", NULL: all */
	/*
	 * By kind: what stays when the thread is behind and a block must be
	 * lost, as long as it is not more than half of one. NULL: nothing.
	 * Borrowed for the writer's life.
	 */
	const bool *vital;
	bool patient;	  /* wait for the thread rather than lose a block */
	unsigned packers; /* threads that pack, to ARCHIVE_PACKERS; 0: one */
	/* Blocks end where archive_mark() says, and nowhere else: before there
	 * are more than BLOCK_EVENTS, BLOCK_BYTES. */
	bool marked;
	/* marked: where the predecessor's last mark is: that segment and later
	 * ones stay until there is another. 0: there is none. */
	uint64_t needed;
	uint64_t run;	       /* of segment_head; 0: one at random */
	uint64_t run_realtime; /* with @run: ns since the epoch */
	/*
	 * Called when a segment begins, and after events were lost, between
	 * two events and inside archive_create(), _append(), _tick(), _flush()
	 * or _close(): hand the state as of the last event taken (cgroup_path,
	 * task_alive records) to archive_state(). May be NULL.
	 */
	int (*state)(void *arg, struct archive_writer *w);
	/*
	 * The account so far, for LOSS frames; borrowed rows; called as state.
	 * An event is counted as kept before it is appended, and moved from
	 * kept to lost_archive when archive_lost() tells. May be NULL.
	 */
	size_t (*account)(void *arg, const struct account_row **ret);
	/*
	 * Called with each event that was lost, inside the functions below:
	 * what only it told, such as the losses in a gap, can be told again.
	 * May be NULL.
	 */
	void (*lost)(void *arg, const struct weir_hdr *h);
	void *arg;
};

/* The least keep_bytes, of segments as small as they are then. */
#define ARCHIVE_KEEP_MIN (4U << 20)

/** archive_segment_bytes - when a segment ends, if the options leave it open:
 * at 256 MiB, or an eighth of @keep_bytes, but not below 1 MiB. */
uint64_t archive_segment_bytes(uint64_t keep_bytes);

/** archive_segment_ns - the same by time: after 15 min, or an eighth of
 * @keep_ns, but not below 1 s. */
uint64_t archive_segment_ns(uint64_t keep_ns);

/* Threads that pack, at most. */
#define ARCHIVE_PACKERS 6

/**
 * archive_packers - how many of them a recorder of a host with @cpus needs
 *
 * One packs what 16 CPUs make, where each of them makes 100,000 events a second
 * (make bench-scale); six pack all that the repo can hand over.
 */
unsigned archive_packers(unsigned cpus);

/**
 * archive_create - begin an archive
 *
 * Nothing of the path but its parents may be a link. Starts the threads, and
 * waits for the first segment to be begun. @schema is borrowed until
 * archive_close(); @opts is copied, its strings are used for the call.
 * Return: 0; -EEXIST it is there and holds segments; -ENOTEMPTY it holds
 * other things; -EPERM it is another user's, or others may write to it;
 * -EBUSY another recorder writes it; -ELOOP it is a link; -ENOTDIR, -EACCES,
 * -ENOSPC, -EROFS … of the system; -ENOMEM. On failure no segment is left.
 */
int archive_create(struct archive_writer **ret, const struct schema *schema,
		   const struct archive_options *opts);

/**
 * archive_append - take one event, whose record is copied
 *
 * Into the block being filled; a full one (64 Ki events, 1 s, 8 MiB) is handed
 * on. The event is taken in any case. Never waits, unless options.patient,
 * which is for who has time, or whose events are safe elsewhere
 * (archive_mark()).
 * Return: 0; -errno when a block was lost since the last call: -ENOBUFS all
 * were on their way, -ENOSPC, -EIO, -EFBIG, -ENOENT somebody removed the file,
 * …: its events are counted by source and CPU (archive_lost()), the state
 * follows, and writing goes on with the next block, if need be in a new
 * segment: recording never ends here.
 */
int archive_append(struct archive_writer *w, const struct event *ev);

/** archive_flush - have all that was taken written, and wait until it is:
 * before archive_close(), archive_lost() then knows all. Return: as append. */
int archive_flush(struct archive_writer *w);

/* Between two events: what a successor needs to go on from there. */
struct archive_mark {
	uint64_t number; /* 1, 2, … */
	const struct account_row *rows;
	size_t count;
	const void *data; /* the caller's, not interpreted */
	size_t len;
};

/**
 * archive_mark - have all events so far written, with @m; options.marked
 *
 * A reader finds both or none (archive_resume.h). Waits for room for another
 * block. Return: as append.
 */
int archive_mark(struct archive_writer *w, const struct archive_mark *m);

/**
 * archive_marked - which marks have come through, by number; 0: none
 * @ret_settled: up to here it is known what became of them
 * @ret_written: the last one that was written
 */
void archive_marked(struct archive_writer *w, uint64_t *ret_settled,
		    uint64_t *ret_written);

/**
 * archive_state - one state record; only inside options.state
 * Return: 0; -EINVAL no record, or called elsewhere; -ENOBUFS the thread is
 * behind: stop, you will be asked again. @record is copied.
 */
int archive_state(struct archive_writer *w, const void *record, size_t len);

/**
 * archive_note - one more line of META, for what is known only later
 *
 * Waits until it is written, as archive_flush() does. A name that is there
 * already keeps its value for readers. Return: 0; -errno as append.
 */
int archive_note(struct archive_writer *w, const char *name, const char *value);

/**
 * archive_tick - hand over what is older than 1 s, and what else is due
 *
 * A new segment, the account each 10 s, a clock that was stepped (1 ms or
 * more). Cheap when nothing is due. With options.marked all that is done by
 * archive_mark(), and this only learns what came of blocks.
 * @mono_ns: the clock, monotonic
 *
 * Return: as append.
 */
int archive_tick(struct archive_writer *w, uint64_t mono_ns);

/** archive_rotate - begin a new segment with the next block, or when it is next
 * looked if one is due. Thread: any. */
void archive_rotate(struct archive_writer *w);

/**
 * archive_lost - tell how many events each source and CPU lost here
 *
 * Calls @fn once or twice for each (source, cpu) with losses learnt of since
 * the last call, for the caller to account and to report as gap events. @cpu
 * may be ACCOUNT_ANY_CPU; @first and @last are the earliest and the latest time
 * stamp of the lost events, monotonic ns.
 */
void archive_lost(struct archive_writer *w,
		  void (*fn)(void *arg, const char *source, uint32_t cpu,
			     uint64_t count, uint64_t first, uint64_t last),
		  void *arg);

/* As of the last block of which it is known what became of it. */
struct archive_stats {
	uint64_t events;   /* taken */
	uint64_t bytes;	   /* on disk, all segments of this writer */
	uint64_t hurried;  /* blocks packed less, to catch up */
	uint32_t waiting;  /* blocks on their way now */
	uint32_t segments; /* begun */
	uint32_t retired;  /* removed: options.keep_bytes, keep_ns */
	int error;	   /* of the last failed write, 0: none since */
};

/** archive_writer_stats - Thread: the writer's. */
void archive_writer_stats(const struct archive_writer *w,
			  struct archive_stats *ret);

/**
 * archive_close - write the rest, seal the segment, free @w
 *
 * Waits for the disk. What is lost only here is in the last account, but is
 * told to nobody: archive_flush() and archive_lost() come before.
 * Return: 0; -errno when something could not be written. NULL-safe.
 */
int archive_close(struct archive_writer *w);

/* ---- reading ----------------------------------------------------------- */

struct archive;

/**
 * archive_open - open archives for reading; needs no privileges
 * @paths: directories or segment files, in any order; borrowed for the call
 * @why:   on failure the path that was the cause (one of @paths), or NULL
 *
 * Of one that is being written what is there is read; a segment that ends in
 * the middle of a frame is read up to there.
 * Return: 0; -ENOENT; -EACCES; -EBADMSG not an archive or nothing readable;
 * -EPROTONOSUPPORT made by a newer weir; -EXDEV segments that together have
 * more than 255 kinds of events; -ENAMETOOLONG; -errno of the system; -ENOMEM.
 *
 * Recordings are read one after the other, by the wall clock of their start,
 * also where they overlap. They may have different schemas: archive_schema()
 * has the kinds of all. Times of archive_info and of ranges are on the clock
 * of the first boot (archive_shift()).
 */
int archive_open(struct archive **ret, char *const *paths, unsigned count,
		 const char **why);

/** archive_free - close it; no pass may be under way. NULL-safe. */
void archive_free(struct archive *a);

/** archive_schema - Return: of all its segments; lives as long as @a. */
const struct schema *archive_schema(const struct archive *a);

/**
 * archive_wall_offset - realtime - monotonic, ns, for the event at hand
 *
 * Inside archive_each() as the clock records so far say; outside of it the last
 * one known.
 */
int64_t archive_wall_offset(const struct archive *a);

/** archive_boot - inside archive_each(): which boot the event at hand is of,
 * from 0 in reading order. What is known of tasks ends with it. */
unsigned archive_boot(const struct archive *a);

/** archive_shift - Return: ns to be added to a time of a boot to make it one of
 * the first; 0 where no clock record tells. */
int64_t archive_shift(const struct archive *a, unsigned boot);

/* As of opening, but @damaged and @gone. Strings live as long as the archive.
 */
struct archive_info {
	uint64_t first_ns, last_ns; /* monotonic, of events */
	int64_t wall_offset;	    /* realtime - monotonic, ns: the last */
	int64_t wall_offset_min, wall_offset_max; /* of all clock records */
	uint64_t events;			  /* in blocks */
	uint64_t rows;	/* of them: not kept as columns */
	uint64_t bytes; /* on disk */
	uint32_t boots; /* read one after the other; clocks of their own */
	uint32_t schemas;
	uint32_t segments;
	uint32_t open_segments; /* not sealed: in use, or cut off */
	uint32_t damaged; /* frames that could not be read; more after a pass */
	uint64_t gone;	  /* segments a pass did not find any more, the most */
	const char *host, *kernel, *boot_id, *command, *version; /* META */
	const char *asked; /* options that say what was recorded, or "" */
	/* META of a snapshot: why it was taken, the event that was the cause,
	 * the time it covers, why it ends early; or "" */
	const char *snapshot, *trigger, *covers, *cut;
};

/** archive_info - copy it. */
void archive_info(const struct archive *a, struct archive_info *ret);

/** archive_account - the last account written of each run, added up; rows live
 * as long as @a. Return: how many. */
size_t archive_account(const struct archive *a, const struct account_row **ret);

/* How a pass that waited for what was being written came to its end. */
enum follow_end {
	FOLLOW_STOPPED, /* wait() said so */
	FOLLOW_ENDED,	/* the recorder ended in order */
	FOLLOW_CUT,	/* there is none, and it did not say that it ended */
};

struct archive_follow {
	/* nothing new: pause, and return 0 to look again, else to stop */
	int (*wait)(void *arg);
	void *arg;
	/* set by the pass */
	enum follow_end end;
	uint64_t skipped; /* segments removed before they could be read */
};

/** archive_follow - from now on passes go on with what is being written
 * @a: opened with one directory; @f: borrowed until the next call; NULL: no
 * more */
void archive_follow(struct archive *a, struct archive_follow *f);

/* A pass over the events in the one order. */
struct archive_range {
	uint64_t from_ns, to_ns; /* of the first boot, half-open; 0, 0: all */
	const bool *kinds;	 /* [SCHEMA_KINDS_MAX], or NULL: all */
	bool bare;		 /* no context: only what is asked for */
	unsigned ahead; /* frames of rows that a thread may decode ahead */
};

/**
 * archive_each - hand every event of a range to @fn
 *
 * State records come too, flagged WEIR_F_CONTEXT, before the events they
 * belong to, and so does every earlier event of the kinds that tasks.c binds
 * (context), so that tasks_apply() is right from the first event on; unless
 * the range is bare.
 * @fn may stop the pass by returning non-zero. The event it gets is valid
 * inside it, and may be changed there; ev->task is NULL. A segment that was
 * removed since the archive was opened is left out, see archive_info.gone.
 * Return: 0; what @fn returned; -EBADMSG some frames were damaged and left out
 * (everything else was handed over); as archive_iter_next() where the pass
 * failed.
 */
int archive_each(struct archive *a, const struct archive_range *range,
		 int (*fn)(void *arg, struct event *ev), void *arg);

/* The same pass for who pulls; there may be several at once. Thread: one. */
struct archive_iter;

/** archive_iter_open - begin a pass; @a is borrowed. Return: 0; -ENOMEM. */
int archive_iter_open(struct archive_iter **ret, struct archive *a,
		      const struct archive_range *range);

/**
 * archive_iter_next - the next event, valid until the next call
 *
 * Return: 1 with @ret; 0 at the end; -EBADMSG at the end, too, but some frames
 * were damaged and left out; -ENOMEM, -EPROTONOSUPPORT a part is of a newer
 * weir, -errno of pread(2): the pass has failed.
 */
int archive_iter_next(struct archive_iter *it, struct event *ret);

/** archive_iter_wall_offset - as archive_wall_offset(), of the last event. */
int64_t archive_iter_wall_offset(const struct archive_iter *it);

/** archive_iter_boot - as archive_boot(), of the last event. */
unsigned archive_iter_boot(const struct archive_iter *it);

/** archive_iter_position - where the last event stands: in all passes over one
 * open archive the same for the same event, and for no other. */
uint64_t archive_iter_position(const struct archive_iter *it);

#define ARCHIVE_ROW_BITS 20 /* a frame has fewer rows */

/** archive_position - the same, of the @row-th row of a frame. */
static inline uint64_t archive_position(uint64_t frame, uint32_t row)
{
	return frame << ARCHIVE_ROW_BITS | row;
}

/** archive_iter_frame - the same of the frame it is in. */
uint64_t archive_iter_frame(const struct archive_iter *it);

/** archive_iter_close - NULL-safe. */
void archive_iter_close(struct archive_iter *it);

/* ---- checking ---------------------------------------------------------- */

/* Of all archives together. */
struct verify_report {
	uint64_t segments, frames, blocks, events, bytes;
	uint64_t damaged;     /* frames with a wrong checksum or nonsense */
	uint64_t missing;     /* events in damaged frames, as far as known */
	uint64_t torn_bytes;  /* at the end of segments that were cut off */
	uint64_t unsealed;    /* segments without their end: cut off */
	uint64_t live;	      /* segments being written: no end yet */
	uint64_t removed;     /* segments gone: first ones by retention */
	uint64_t disorder;    /* events before a predecessor, unflagged */
	uint64_t lost;	      /* by the account and its gaps, and missed */
	uint64_t unaccounted; /* rows whose equations do not hold */
};

/**
 * archive_verify - check every frame and every equation
 * @say: called with one line for each finding: file, offset, what, and what
 *       it costs (events, time span)
 *
 * The order of events is checked over a whole run. The account is held against
 * the events between two LOSS frames, so a segment proves its own part,
 * whatever retention took before it. What was cut off, and first segments that
 * are gone, are told and counted, but are no damage. Return: 0 whole (look at
 * @ret->lost and ->unsealed for losses); -EBADMSG damage, disorder, or
 * something unaccounted for; errors of archive_open().
 */
int archive_verify(char *const *paths, unsigned count,
		   struct verify_report *ret,
		   void (*say)(void *arg, const char *line), void *arg);

#endif
