/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.h - the arguments of a system call as a list, by the signatures of
 * bpf/syscalls.h.
 *
 * What belongs to them is found by name in the same event: the call's number
 * in `name`, its first and second path in `path` and `path2`, and whether it
 * is a 32-bit call (a signature only if it takes a path) in `compat`.
 */
#ifndef WEIR_ARGS_H
#define WEIR_ARGS_H

#include "event.h"

/**
 * args_text - AT_FDCWD, "/etc/passwd", O_RDONLY (without parentheses)
 * @f: six numbers of 64 bits, the registers at the call
 *
 * As many as the call takes; without a mode where open(2) does not ask for
 * one. A path that was not kept is its address. Of a call that has no signature
 * six numbers are shown, in hexadecimal.
 */
void args_text(struct buf *b, const struct event *ev,
	       const struct schema_field *f);

/**
 * args_json - the same as a JSON array: numbers as such, flags by name,
 * addresses as strings of hexadecimal digits.
 */
void args_json(struct buf *b, const struct event *ev,
	       const struct schema_field *f);

#endif
