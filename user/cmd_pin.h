/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_pin.h - `weir record --pin NAME`: what is pinned, and whether it is taken
 * over. The protocol: resume.h.
 *
 * The order is pinning_open(), and if it takes, pinning_resume() when the
 * archive is open and locked, else pinning_pin() once events flow; then
 * pinning_stop() and pinning_end(), if it ends in order.
 */
#ifndef WEIR_CMD_PIN_H
#define WEIR_CMD_PIN_H

#include "archive_resume.h"
#include "buf.h"
#include "errand.h"
#include "pin.h"
#include "recorder.h"

struct capture_args;

struct pinning {
	struct pin pin;	 /* PIN_NONE: nothing is to be pinned */
	bool fresh;	 /* begun here */
	bool takes;	 /* it was there, and nobody had it */
	struct buf meta; /* what it is of: names and values, ended by NULs */
	uint64_t run, run_realtime; /* archive_options */
	const char *archive; /* in meta, when it takes: where that goes on */
	uint64_t died_ns;    /* the last that is known of him who had it; 0 */
	bool appends;	     /* to an archive that is there */
	/* the same of one that was killed as it ended: no more to go on with */
	struct buf ended;
	const char *ended_archive; /* in it; NULL: there was none */
};

/** pinning_may - is --pin possible with that? Return: EXIT_OK; EXIT_USAGE. */
int pinning_may(const struct capture_args *args, char *const *command);

/**
 * pinning_open - make the pin, or find what it is of
 *
 * One whose recorder was killed as it ended is removed, told of, and begun
 * anew. Return: EXIT_OK; EXIT_USAGE or EXIT_FAILED, having said why.
 */
int pinning_open(struct pinning *p, const struct capture_args *args);

/** pinning_find - a pin that is there, with its lock. Return: as open. */
int pinning_find(struct pinning *p, const char *name);

/**
 * pinning_check - is @output, or NULL, the archive it goes on with?
 * @path: where it is to record if it does not take; or NULL: nowhere
 * Return: as open, with appends.
 */
int pinning_check(struct pinning *p, const char *output, const char *path);

/** pinning_resume - read the archive's end. @dir: it. Return: as open. */
int pinning_resume(struct pinning *p, struct recorder *r, int dir);

/** pinning_say - if it was taken over, a line of that. @now: monotonic ns */
void pinning_say(const struct pinning *p, uint64_t now);

/** pinning_note_archive - where it records; before pinning_pin(). */
void pinning_note_archive(struct pinning *p, int dir);

/** pinning_pin - needs privileges. Return: 0; -errno. */
int pinning_pin(struct pinning *p, struct recorder *r);

/** pinning_stop - end the links. @e: has the right to; or NULL. */
void pinning_stop(struct pinning *p, struct errand *e);

/** pinning_end - remove all of it. */
void pinning_end(struct pinning *p, struct errand *e);

/** pinning_done - let go of it: it stays, if it was not ended. */
void pinning_done(struct pinning *p);

/* What was in the buffers of one that nobody goes on with. */
struct pinning_left {
	uint64_t unread; /* events; known: that are in no archive */
	bool known;
	int err; /* -errno: they could not be counted */
};

/** pinning_abandon - no event is made any more; see what is left. What is
 * pinned stays. */
void pinning_abandon(const struct pinning *p, struct pinning_left *ret);

/** pinning_left_text - a line of it, without its end. */
void pinning_left_text(const struct pinning_left *l, struct buf *to);

/** pins_say - a line on stderr for each pin that no recorder has. */
void pins_say(void);

#endif
