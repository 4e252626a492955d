/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - how far the reading of archives is, as a line on a terminal,
 * for who waits longer than two seconds.
 *
 * The terminal is one for the whole process, and so is this: readers tell what
 * they have read from anywhere, commands say whether it is drawn, and wipe it
 * off before they print. Off until progress_start(). Thread: any may add; one
 * of them draws.
 */
#ifndef WEIR_PROGRESS_H
#define WEIR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_WIPE "\r\033[K" /* a line off a terminal; ECMA-48 EL */

/** progress_can - Return: is @fd a terminal on which a line can be wiped? */
bool progress_can(int fd);

/**
 * progress_line - write text in place of the last line on the terminal @fd
 *
 * The terminal cuts it to its width (DECAWM off, as of a VT100): what is
 * wrapped could not be wiped. @text is not escaped.
 * Return: is there somebody to tell? False: the write failed.
 */
bool progress_line(int fd, const char *text, size_t len);

/** progress_start - draw on @fd from here on, if it is a terminal; borrowed
 * until progress_stop(). Not more often than five times a second. */
void progress_start(int fd);

/** progress_expect - so many bytes more are there to be read. */
void progress_expect(uint64_t bytes);

/** progress_add - so many have been read, or left out. */
void progress_add(uint64_t bytes);

/**
 * progress_wipe - take the line off, for what is printed now
 *
 * What is read from here on is counted anew, with the same patience.
 */
void progress_wipe(void);

/** progress_stop - wipe it, and draw no more. */
void progress_stop(void);

#endif
