// SPDX-License-Identifier: BSD-2-Clause
#include <time.h>

#include "clock.h"
#include "render.h"

#define S_PER_MIN  60
#define S_PER_HOUR 3600
#define S_PER_DAY  86400

/*
 * @v / @unit to three digits, cut and not rounded, zeros at the end left off:
 * 12.3 340 1.25
 */
static void put_three_digits(struct buf *b, uint64_t v, uint64_t unit)
{
	uint64_t whole = v / unit, thousandths = v % unit * 1000 / unit;
	unsigned decimals = whole < 10 ? 2 : whole < 100 ? 1 : 0;
	uint64_t part = decimals == 2 ? thousandths / 10 : thousandths / 100;

	buf_u64(b, whole);
	if (decimals == 2 && part % 10 == 0) {
		part /= 10;
		decimals = 1;
	}
	if (!decimals || !part)
		return;
	buf_putc(b, '.');
	buf_u64_width(b, part, decimals);
}

static void put_pair(struct buf *b, uint64_t s, uint64_t big, char big_unit,
		     uint64_t small, char small_unit)
{
	buf_u64(b, s / big);
	buf_putc(b, big_unit);
	buf_u64_width(b, s % big / small, 2);
	buf_putc(b, small_unit);
}

void render_ns(struct buf *b, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;

	if (ns < NS_PER_US) {
		buf_u64(b, ns);
		buf_put(b, "ns", 2);
	} else if (ns < NS_PER_MS) {
		put_three_digits(b, ns, NS_PER_US);
		buf_put(b, "us", 2);
	} else if (ns < NS_PER_S) {
		put_three_digits(b, ns, NS_PER_MS);
		buf_put(b, "ms", 2);
	} else if (s < S_PER_MIN) {
		put_three_digits(b, ns, NS_PER_S);
		buf_putc(b, 's');
	} else if (s < S_PER_HOUR) {
		put_pair(b, s, S_PER_MIN, 'm', 1, 's');
	} else if (s < S_PER_DAY) {
		put_pair(b, s, S_PER_HOUR, 'h', S_PER_MIN, 'm');
	} else {
		put_pair(b, s, S_PER_DAY, 'd', S_PER_HOUR, 'h');
	}
}

void render_bytes(struct buf *b, uint64_t bytes)
{
	unsigned shift = 0;
	uint64_t whole, tenths;

	while (shift < 60 && bytes >> shift >= 1024)
		shift += 10;
	whole = bytes >> shift;
	buf_u64(b, whole);
	if (!shift)
		return;
	if (whole < 100) {
		tenths = (bytes >> (shift - 10) & 1023) * 10 / 1024;
		buf_putc(b, '.');
		buf_u64(b, tenths);
	}
	buf_putc(b, " KMGTPE"[shift / 10]);
}

static void put_two(char *to, unsigned v)
{
	to[0] = (char)('0' + v / 10);
	to[1] = (char)('0' + v % 10);
}

/* Seconds since the epoch as a clock on the reader's wall tells them. */
static uint64_t wall_second(const struct render *r, uint64_t mono_ns)
{
	uint64_t s = (mono_ns + (uint64_t)r->wall_offset) / NS_PER_S;
	time_t t = (time_t)s;
	struct tm tm;

	if (r->utc || !localtime_r(&t, &tm))
		return s;
	return s + (uint64_t)tm.tm_gmtoff;
}

uint64_t render_day(const struct render *r, uint64_t mono_ns)
{
	return wall_second(r, mono_ns) / S_PER_DAY;
}

/*
 * The date of a day since the epoch, by Howard Hinnant's days_from_civil
 * turned round (https://howardhinnant.github.io/date_algorithms.html); years
 * begin in March there.
 */
static void put_date(struct buf *b, uint64_t days)
{
	uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;

	buf_u64_width(b, yoe + era * 400 + (month <= 2), 4);
	buf_putc(b, '-');
	buf_u64_width(b, month, 2);
	buf_putc(b, '-');
	buf_u64_width(b, doy - (153 * mp + 2) / 5 + 1, 2);
}

void render_date(struct buf *b, const struct render *r, uint64_t mono_ns)
{
	put_date(b, render_day(r, mono_ns));
}

void render_time(struct buf *b, const struct render *r, uint64_t mono_ns)
{
	uint64_t ns = mono_ns + (uint64_t)r->wall_offset;
	uint64_t s = wall_second(r, mono_ns);
	unsigned day = (unsigned)(s % S_PER_DAY);
	char clock[9] = "00:00:00.";

	if (r->dated) {
		put_date(b, s / S_PER_DAY);
		buf_putc(b, 'T');
	}
	put_two(clock, day / S_PER_HOUR);
	put_two(clock + 3, day / S_PER_MIN % 60);
	put_two(clock + 6, day % 60);
	buf_put(b, clock, sizeof(clock));
	buf_u64_width(b, ns % NS_PER_S / NS_PER_US, 6);
}

/* All but the zone. */
static void put_iso(struct buf *b, uint64_t s, uint64_t ns)
{
	unsigned day = (unsigned)(s % S_PER_DAY);
	char clock[10] = "T00:00:00.";

	put_date(b, s / S_PER_DAY);
	put_two(clock + 1, day / S_PER_HOUR);
	put_two(clock + 4, day / S_PER_MIN % 60);
	put_two(clock + 7, day % 60);
	buf_put(b, clock, sizeof(clock));
	buf_u64_width(b, ns % NS_PER_S, 9);
}

void render_iso(struct buf *b, uint64_t realtime_ns)
{
	put_iso(b, realtime_ns / NS_PER_S, realtime_ns);
	buf_putc(b, 'Z');
}

void render_instant(struct buf *b, const struct render *r, uint64_t mono_ns)
{
	uint64_t ns = mono_ns + (uint64_t)r->wall_offset;
	int64_t east = (int64_t)(wall_second(r, mono_ns) - ns / NS_PER_S);
	uint64_t minutes = (uint64_t)(east < 0 ? -east : east) / S_PER_MIN;

	if (!east || east % S_PER_MIN) {
		render_iso(b, ns);
		return;
	}
	put_iso(b, ns / NS_PER_S + (uint64_t)east, ns);
	buf_putc(b, east < 0 ? '-' : '+');
	buf_u64_width(b, minutes / 60, 2);
	buf_putc(b, ':');
	buf_u64_width(b, minutes % 60, 2);
}
