/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - debug lines on stderr, for whoever set WEIR_DEBUG=1. Errors are not
 * logged but returned; only commands speak to the user.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/* Is anybody to see them? Read without a lock. */
extern bool log_debug_on; /* set by main() before any thread starts */

/**
 * log_debug, log_vdebug - print, when it is on; with the newline in @fmt
 *
 * Not escaped: nothing of an event goes there. Thread: any.
 */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_vdebug(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0)));

#endif
