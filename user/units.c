// SPDX-License-Identifier: BSD-2-Clause
#include "units.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clock.h"

#define S_PER_MIN   60
#define S_PER_HOUR  3600
#define S_PER_DAY   86400
#define EPOCH_MAX_S (UINT64_MAX / NS_PER_S - 1)
#define YEAR_MIN    1970
#define YEAR_MAX    2500 /* 64 bits of ns end in 2554 */

/* ---- plain numbers ------------------------------------------------------- */

/* Value of a digit in @base, or -1. */
static int digit(char c, unsigned base)
{
	int v = -1;

	if (isdigit((unsigned char)c))
		v = c - '0';
	else if (isxdigit((unsigned char)c))
		v = tolower((unsigned char)c) - 'a' + 10;
	return v < (int)base ? v : -1;
}

/* Take the digits at *@p. Return: 0; -EINVAL there are none; -ERANGE. */
static int take_digits(const char **p, unsigned base, uint64_t *ret)
{
	const char *s = *p;
	uint64_t v = 0;

	if (digit(*s, base) < 0)
		return -EINVAL;
	for (; digit(*s, base) >= 0; s++)
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit(*s, base), &v))
			return -ERANGE;
	*p = s;
	*ret = v;
	return 0;
}

int parse_u64(const char *text, uint64_t *ret)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *p = text + (hex ? 2 : 0);
	uint64_t v;
	int err = take_digits(&p, hex ? 16 : 10, &v);

	if (!err && *p)
		err = -EINVAL;
	if (!err)
		*ret = v;
	return err;
}

int parse_s64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t v, limit = (uint64_t)INT64_MAX + negative;
	int err = parse_u64(text + (negative || *text == '+'), &v);

	if (err)
		return err;
	if (v > limit)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

/* ---- numbers with a unit ------------------------------------------------- */

/*
 * Take "12" or "1.25". The digits after the point become @ret_part, in units
 * of 10^-9; more than nine of them are passed over.
 */
static int take_decimal(const char **p, uint64_t *ret_whole, uint64_t *ret_part)
{
	uint64_t part = 0, scale = NS_PER_S;
	const char *s;
	int err = take_digits(p, 10, ret_whole);

	*ret_part = 0;
	if (err || **p != '.')
		return err;
	s = *p + 1;
	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		scale /= 10;
		part += (uint64_t)(*s - '0') * scale;
	}
	*ret_part = part;
	*p = s;
	return 0;
}

/* @sum += (@whole + @part * 10^-9) * @unit. Return: 0; -ERANGE. */
static int add_scaled(uint64_t *sum, uint64_t whole, uint64_t part,
		      uint64_t unit)
{
	uint64_t fine = (uint64_t)((unsigned __int128)part * unit / NS_PER_S);
	uint64_t v;

	if (__builtin_mul_overflow(whole, unit, &v) ||
	    __builtin_add_overflow(v, fine, &v) ||
	    __builtin_add_overflow(*sum, v, sum))
		return -ERANGE;
	return 0;
}

static const struct {
	const char *name;
	uint64_t ns;
} duration_units[] = {
	{"ns", 1},
	{"us", NS_PER_US},
	{"ms", NS_PER_MS},
	{"s", NS_PER_S},
	{"m", S_PER_MIN *NS_PER_S},
	{"h", S_PER_HOUR *NS_PER_S},
	{"d", S_PER_DAY *NS_PER_S},
};

static uint64_t take_duration_unit(const char **p)
{
	size_t i, len = 0;

	while (isalpha((unsigned char)(*p)[len]))
		len++;
	for (i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++) {
		if (strlen(duration_units[i].name) == len &&
		    !memcmp(duration_units[i].name, *p, len)) {
			*p += len;
			return duration_units[i].ns;
		}
	}
	return 0;
}

int parse_duration_ns(const char *text, uint64_t *ret_ns)
{
	uint64_t sum = 0, whole, part, unit, before = UINT64_MAX;
	const char *p = text;
	int err;

	if (!strcmp(text, "0")) {
		*ret_ns = 0;
		return 0;
	}
	do {
		err = take_decimal(&p, &whole, &part);
		if (err)
			return err;
		unit = take_duration_unit(&p);
		if (!unit || unit >= before)
			return -EINVAL;
		err = add_scaled(&sum, whole, part, unit);
		if (err)
			return err;
		before = unit;
	} while (*p);
	*ret_ns = sum;
	return 0;
}

/* The power of 1024 that @c stands for, times 10; -1 none. */
static int size_shift(char c)
{
	const char *all = "KMGTPE", *at;

	at = c ? strchr(all, toupper((unsigned char)c)) : NULL;
	return at ? 10 * (int)(at - all + 1) : -1;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t sum = 0, whole, part;
	const char *p = text;
	int shift, err = take_decimal(&p, &whole, &part);

	if (err)
		return err;
	shift = size_shift(*p);
	if (shift > 0)
		p++;
	if (*p && strcasecmp(p, "B") && (shift < 0 || strcasecmp(p, "iB")))
		return -EINVAL;
	if (shift < 0 && part)
		return -EINVAL;
	err = add_scaled(&sum, whole, part, 1ULL << (shift > 0 ? shift : 0));
	if (!err)
		*ret_bytes = sum;
	return err;
}

/* ---- instants ------------------------------------------------------------ */

/* Exactly @n digits, at most @max. */
static bool take_fixed(const char **p, int n, int max, int *ret)
{
	int i, v = 0;

	for (i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	*ret = v;
	return v <= max;
}

static bool take_char(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* HH:MM[:SS[.fraction]] */
static bool take_clock(const char **p, struct tm *tm, uint64_t *ret_ns)
{
	uint64_t whole;
	const char *s;
	int err;

	*ret_ns = 0;
	tm->tm_sec = 0;
	if (!take_fixed(p, 2, 23, &tm->tm_hour) || !take_char(p, ':') ||
	    !take_fixed(p, 2, 59, &tm->tm_min))
		return false;
	if (!take_char(p, ':'))
		return true;
	s = *p;
	if (!take_fixed(p, 2, 59, &tm->tm_sec))
		return false;
	if (**p != '.')
		return true;
	err = take_decimal(&s, &whole, ret_ns);
	*p = s;
	return !err;
}

/* YYYY-MM-DD */
static bool take_date(const char **p, struct tm *tm)
{
	if (!take_fixed(p, 4, YEAR_MAX, &tm->tm_year) || !take_char(p, '-') ||
	    !take_fixed(p, 2, 12, &tm->tm_mon) || !take_char(p, '-') ||
	    !take_fixed(p, 2, 31, &tm->tm_mday))
		return false;
	if (tm->tm_year < YEAR_MIN || !tm->tm_mon || !tm->tm_mday)
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return true;
}

/* Z, +01:00, -0530 or nothing: then @ret_local. */
static bool take_zone(const char **p, bool *ret_local, int *ret_east_s)
{
	int sign, hours, minutes;

	*ret_local = **p == '\0';
	*ret_east_s = 0;
	if (*ret_local || take_char(p, 'Z') || take_char(p, 'z'))
		return true;
	sign = **p == '-' ? -1 : 1;
	if (!take_char(p, '+') && !take_char(p, '-'))
		return false;
	if (!take_fixed(p, 2, 14, &hours))
		return false;
	take_char(p, ':');
	if (!take_fixed(p, 2, 59, &minutes))
		return false;
	*ret_east_s = sign * (hours * S_PER_HOUR + minutes * S_PER_MIN);
	return true;
}

/* Seconds since the epoch; -EINVAL there is no such day, -ERANGE. */
static int to_epoch(struct tm tm, bool local, int east_s, uint64_t *ret_s)
{
	struct tm norm = tm;
	time_t t;

	norm.tm_isdst = -1;
	t = local ? mktime(&norm) : timegm(&norm);
	if (norm.tm_mday != tm.tm_mday || norm.tm_mon != tm.tm_mon)
		return -EINVAL;
	t -= east_s;
	if (t < 0)
		return -ERANGE;
	*ret_s = (uint64_t)t;
	return 0;
}

static int parse_iso(const char *p, uint64_t *ret_ns)
{
	struct tm tm = {0};
	uint64_t s, ns = 0;
	int east_s, err;
	bool local;

	if (!take_date(&p, &tm))
		return -EINVAL;
	if (take_char(&p, 'T') || take_char(&p, 't') || take_char(&p, ' ')) {
		if (!take_clock(&p, &tm, &ns))
			return -EINVAL;
	}
	if (!take_zone(&p, &local, &east_s) || *p)
		return -EINVAL;
	err = to_epoch(tm, local, east_s, &s);
	if (!err)
		*ret_ns = s * NS_PER_S + ns;
	return err;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* A time of day: of the day before, of and after @now, the nearest. */
static int parse_clock(const char *p, uint64_t now_ns, uint64_t *ret_ns)
{
	time_t now = (time_t)(now_ns / NS_PER_S);
	struct tm today, tm = {0};
	uint64_t s, at, ns, best = UINT64_MAX;
	int day;

	if (!take_clock(&p, &tm, &ns) || *p || !localtime_r(&now, &today))
		return -EINVAL;
	today.tm_hour = tm.tm_hour;
	today.tm_min = tm.tm_min;
	today.tm_sec = tm.tm_sec;
	for (day = -1; day <= 1; day++) {
		tm = today;
		tm.tm_mday += day;
		tm.tm_isdst = -1;
		s = (uint64_t)mktime(&tm);
		at = s * NS_PER_S + ns;
		if (s <= EPOCH_MAX_S && distance(at, now_ns) < best) {
			best = distance(at, now_ns);
			*ret_ns = at;
		}
	}
	return best == UINT64_MAX ? -ERANGE : 0;
}

static int parse_epoch(const char *p, uint64_t *ret_ns)
{
	uint64_t sum = 0, whole, part;
	int err = take_decimal(&p, &whole, &part);

	if (!err && *p)
		err = -EINVAL;
	if (!err)
		err = add_scaled(&sum, whole, part, NS_PER_S);
	if (!err)
		*ret_ns = sum;
	return err;
}

int parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	uint64_t span;
	int err;

	if (!strcmp(text, "now")) {
		*ret_ns = now_ns;
		return 0;
	}
	if (*text == '@')
		return parse_epoch(text + 1, ret_ns);
	if (*text == '-') {
		err = parse_duration_ns(text + 1, &span);
		if (!err && span > now_ns)
			err = -ERANGE;
		if (!err)
			*ret_ns = now_ns - span;
		return err;
	}
	if (strlen(text) > 2 && text[2] == ':')
		return parse_clock(text, now_ns, ret_ns);
	return parse_iso(text, ret_ns);
}
