// SPDX-License-Identifier: BSD-2-Clause
/* filter_value.c - what a value in an expression stands for, by meaning. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "filter_tree.h"
#include "names.h"
#include "near.h"
#include "units.h"

#define V4_BITS_BEFORE 96 /* of an IPv4 address as an IPv6 one */

/* What each meaning wants, for "'x' is no …". */
static const char *const wanted[MEANINGS] = {
	[MEANING_TIME] = "time (14:03:20, -5m, 2026-11-22T14:03:20Z)",
	[MEANING_NS] = "duration (10ms, 2.5s, 1h30m)",
	[MEANING_BYTES] = "size (4096, 64K, 1.5G)",
	[MEANING_ERRNO] = "error (ENOENT, 2)",
	[MEANING_RET] = "result (0, ENOENT, -2)",
	[MEANING_IP] = "address (10.0.0.1, 10.0.0.0/8, ::1)",
	[MEANING_DEV] = "device (8:0)",
	[MEANING_SIGNAL] = "signal (SIGKILL, 9)",
	[MEANING_STATE] = "task state (R S D T t X Z P I)",
	[MEANING_BOOL] = "truth value (0, 1, false, true)",
	[MEANING_CGROUP] = "cgroup (its number, or its path)",
};

static void set_number(struct value *v, uint64_t number, bool negative)
{
	v->type = VALUE_NUMBER;
	v->number = number;
	v->negative = negative;
}

static int read_number(const char *text, struct value *v)
{
	uint64_t number;
	int64_t negative;
	int err;

	if (*text == '-') {
		err = parse_s64(text, &negative);
		if (!err)
			set_number(v, (uint64_t)negative, negative < 0);
		return err;
	}
	err = parse_u64(text, &number);
	if (!err)
		set_number(v, number, false);
	return err;
}

/* One of units.h first, then a plain number. */
static int read_unit(const char *text, struct value *v,
		     int (*parse)(const char *text, uint64_t *ret))
{
	uint64_t number;
	int err = parse(text, &number);

	if (err == -EINVAL)
		return read_number(text, v);
	if (!err)
		set_number(v, number, false);
	return err;
}

/* An instant on the wall, as the monotonic one that events carry. */
static int read_time(const struct compiler *c, const char *text,
		     struct value *v)
{
	uint64_t wall;
	__int128 mono;
	int err = parse_time(text, c->now_ns, &wall);

	if (err == -EINVAL)
		err = parse_u64(text, &wall); /* as JSON prints them */
	if (err)
		return err;
	mono = (__int128)wall - c->offset;
	set_number(v, (uint64_t)mono, mono < 0);
	return mono > UINT64_MAX ? -ERANGE : 0;
}

/* ENOENT, 2; where results are meant -ENOENT is -2, and so is ENOENT. */
static int read_error(const struct literal *lit, bool is_result,
		      struct value *v)
{
	bool minus = *lit->text == '-';
	int64_t number;

	if (errno_by_name(lit->text + minus, lit->len - minus, &number))
		return read_number(lit->text, v);
	set_number(v, (uint64_t)(is_result ? -number : number), is_result);
	return 0;
}

static int read_signal(const struct literal *lit, struct value *v)
{
	int64_t number;

	if (signal_by_name(lit->text, lit->len, &number))
		return read_number(lit->text, v);
	set_number(v, (uint64_t)number, false);
	return 0;
}

static int read_state(const struct literal *lit, struct value *v)
{
	if (lit->len != 1 || !strchr("RSDTtXZPI", *lit->text))
		return read_number(lit->text, v);
	v->type = VALUE_LETTER;
	v->number = (uint8_t)*lit->text;
	return 0;
}

static int read_bool(const char *text, struct value *v)
{
	bool yes = !strcasecmp(text, "true") || !strcasecmp(text, "yes");

	if (!yes && strcasecmp(text, "false") && strcasecmp(text, "no"))
		return read_number(text, v);
	set_number(v, yes, false);
	return 0;
}

/* 8:17 is 8 << 20 | 17, see weir_dev_t. */
static int read_dev(const struct literal *lit, struct value *v)
{
	const char *colon = strchr(lit->text, ':');
	uint64_t major, minor;
	char text[16];

	if (!colon)
		return read_number(lit->text, v);
	if ((size_t)(colon - lit->text) >= sizeof(text))
		return -EINVAL;
	memcpy(text, lit->text, (size_t)(colon - lit->text));
	text[colon - lit->text] = '\0';
	if (parse_u64(text, &major) || parse_u64(colon + 1, &minor) ||
	    major > 0xfff || minor > 0xfffff)
		return -EINVAL;
	set_number(v, major << 20 | minor, false);
	return 0;
}

/* A number whose unit is in the event: whatever fits one of them. */
static int read_any(const char *text, struct value *v)
{
	int err = read_number(text, v);

	if (err == -EINVAL)
		err = read_unit(text, v, parse_duration_ns);
	if (err == -EINVAL)
		err = read_unit(text, v, parse_size);
	return err;
}

static int read_by_meaning(const struct compiler *c, enum meaning meaning,
			   const struct literal *lit, struct value *v)
{
	switch (meaning) {
	case MEANING_TIME:
		return read_time(c, lit->text, v);
	case MEANING_NS:
		return read_unit(lit->text, v, parse_duration_ns);
	case MEANING_BYTES:
		return read_unit(lit->text, v, parse_size);
	case MEANING_ERRNO:
	case MEANING_RET:
		return read_error(lit, meaning == MEANING_RET, v);
	case MEANING_SIGNAL:
		return read_signal(lit, v);
	case MEANING_STATE:
		return read_state(lit, v);
	case MEANING_BOOL:
		return read_bool(lit->text, v);
	case MEANING_DEV:
		return read_dev(lit, v);
	case MEANING_VALUE:
		return read_any(lit->text, v);
	default:
		return read_number(lit->text, v);
	}
}

/* ---- addresses ----------------------------------------------------------- */

/* The part before the / without brackets, and how many bits follow it. */
static bool split_ip(const struct literal *lit, char addr[64],
		     uint64_t *ret_bits)
{
	const char *slash = strchr(lit->text, '/'), *s = lit->text;
	size_t len = slash ? (size_t)(slash - s) : lit->len;

	*ret_bits = UINT64_MAX;
	if (slash && parse_u64(slash + 1, ret_bits))
		return false;
	if (len > 1 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	if (!len || len >= 64)
		return false;
	memcpy(addr, s, len);
	addr[len] = '\0';
	return true;
}

static int read_ip(const struct literal *lit, struct value *v)
{
	unsigned before = 0;
	uint64_t bits;
	char addr[64];

	if (!split_ip(lit, addr, &bits))
		return -EINVAL;
	memset(v->addr, 0, sizeof(v->addr));
	if (inet_pton(AF_INET, addr, v->addr + 12) == 1) {
		v->addr[10] = v->addr[11] = 0xff;
		before = V4_BITS_BEFORE;
	} else if (inet_pton(AF_INET6, addr, v->addr) != 1) {
		return -EINVAL;
	}
	if (bits == UINT64_MAX)
		bits = 128 - before;
	if (bits > 128 - before)
		return -EINVAL;
	v->type = VALUE_IP;
	v->bits = (uint8_t)(before + bits);
	return 0;
}

/* ---- names --------------------------------------------------------------- */

static int read_enum(const struct schema_enum *e, const struct literal *lit,
		     struct value *v)
{
	int64_t number;

	if (enum_value(e, lit->text, lit->len, &number))
		return read_number(lit->text, v);
	set_number(v, (uint64_t)number, number < 0);
	return 0;
}

static int fail_enum(struct compiler *c, const struct test *t,
		     const struct schema_enum *e, const struct literal *lit)
{
	struct near near;
	uint32_t i;

	near_init(&near, lit->text, lit->len);
	for (i = 0; i < e->count; i++)
		near_try(&near, e->values[i].name);
	if (near_best(&near))
		return filter_fail(c, lit->at,
				   "'%.40s' is no value of '%.40s'; did you "
				   "mean '%.40s'?",
				   lit->text, t->name, near_best(&near));
	return filter_fail(c, lit->at,
			   "'%.40s' is no value of '%.40s' (one of its names, "
			   "as %.40s, or a number)",
			   lit->text, t->name,
			   e->count ? e->values[0].name : "none");
}

/* ENOENT for ENONET; NULL: nothing is close. */
static const char *near_error(const struct literal *lit)
{
	struct near near;
	unsigned i;

	near_init(&near, lit->text, lit->len);
	for (i = 1; i <= ERRNO_MAX; i++)
		if (errno_name(i))
			near_try(&near, errno_name(i));
	return near_best(&near);
}

static int fail_meaning(struct compiler *c, const struct subject *s,
			const struct literal *lit, int err)
{
	const char *what = wanted[s->meaning], *close = NULL;

	if (!what)
		what = "number (42, 0x2a)";
	if (err == -ERANGE)
		return filter_fail(c, lit->at, "'%.40s' is too large a %s",
				   lit->text, what);
	if (s->meaning == MEANING_ERRNO || s->meaning == MEANING_RET)
		close = near_error(lit);
	if (close)
		return filter_fail(c, lit->at,
				   "'%.40s' is no %s; did you mean '%s'?",
				   lit->text, what, close);
	return filter_fail(c, lit->at, "'%.40s' is no %s", lit->text, what);
}

int filter_value(struct compiler *c, const struct test *t,
		 const struct subject *s, const struct literal *lit,
		 struct value *ret)
{
	const struct schema_enum *e = s->field ? s->field->names : NULL;
	int err;

	if (s->type == SUBJECT_TEXT) {
		ret->type = VALUE_TEXT;
		ret->text = lit->text;
		ret->len = lit->len;
		return 0;
	}
	if (memchr(lit->text, '\0', lit->len))
		return filter_fail(c, lit->at, "a NUL in a number");
	if (s->type == SUBJECT_IP)
		err = read_ip(lit, ret);
	else if (e)
		err = read_enum(e, lit, ret);
	else
		err = read_by_meaning(c, s->meaning, lit, ret);
	if (err && e)
		return fail_enum(c, t, e, lit);
	return err ? fail_meaning(c, s, lit, err) : 0;
}
