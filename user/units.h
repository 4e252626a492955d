/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.h - numbers as people write them: 10ms, 64K, -5m, 14:03:20.5.
 *
 * One reader for options and filters. The whole text must be taken up, blanks
 * are not skipped, and nothing wraps around silently. On failure the output
 * is untouched.
 */
#ifndef WEIR_UNITS_H
#define WEIR_UNITS_H

#include <stdint.h>

/**
 * parse_u64 - decimal, or hexadecimal after 0x
 * Return: 0; -EINVAL no number; -ERANGE more than 64 bits.
 */
int parse_u64(const char *text, uint64_t *ret);

/** parse_s64 - the same with an optional sign. Return: as parse_u64(). */
int parse_s64(const char *text, int64_t *ret);

/**
 * parse_duration_ns - a span: 10ms 2.5s 2h 1h30m
 *
 * Units ns us ms s m h d, the larger before the smaller. A bare 0 is valid,
 * any other number needs its unit. Nine decimals count; what is less than a ns
 * is cut off.
 * Return: 0; -EINVAL; -ERANGE.
 */
int parse_duration_ns(const char *text, uint64_t *ret_ns);

/**
 * parse_size - an amount of bytes: 4096 64K 1.5G 2GiB
 *
 * K M G T P E are powers of 1024, whatever case; B or iB may follow. Part of a
 * byte is cut off; decimals without a K or the like are wrong.
 * Return: 0; -EINVAL; -ERANGE.
 */
int parse_size(const char *text, uint64_t *ret_bytes);

/**
 * parse_time - an instant
 * @now_ns: what the text is relative to, ns since the epoch; for an archive
 *          its end
 *
 * now, -5m, @1795356200.5 (seconds since the epoch), 14:03 or 14:03:20.5 (the
 * one nearest to @now_ns), and ISO 8601: 2026-11-22, 2026-11-22T14:03:20.5
 * (a blank for the T will do) with Z, +01:00, or in the local zone. Days from
 * 1970 to 2500; a 29th of February must be one. An hour that the local zone has
 * twice, or not at all, is what mktime(3) makes of it.
 * Return: 0, ns since the epoch; -EINVAL; -ERANGE.
 */
int parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns);

#endif
