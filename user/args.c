// SPDX-License-Identifier: BSD-2-Clause
#include "args.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>

#include "names.h"
#include "render.h"
#include "render_value.h"

#define ARGS_MAX      6
#define SIGNATURE_MAX 8 /* ARGS_MAX letters and a NUL, see syscalls.h */
#define UNKNOWN_CALL  "xxxxxx"
#define CSIGNAL_MASK  0xff /* exit signal in clone's flags: CSIGNAL */

static const char signatures[][SIGNATURE_MAX] = {
#define SIGNATURE(nr, name, sig, class) [nr] = sig,
	WEIR_SYSCALLS(SIGNATURE)
#undef SIGNATURE
};

static const bool known[] = {
#define KNOWN(nr, name, sig, class) [nr] = true,
	WEIR_SYSCALLS(KNOWN)
#undef KNOWN
};

struct flag {
	uint64_t bits;
	const char *name;
};

/* x86-64; what contains another flag's bits stands before it. */
static const struct flag open_flags[] = {
	{00000100, "O_CREAT"},	   {00000200, "O_EXCL"},
	{00000400, "O_NOCTTY"},	   {00001000, "O_TRUNC"},
	{00002000, "O_APPEND"},	   {00004000, "O_NONBLOCK"},
	{04010000, "O_SYNC"},	   {00010000, "O_DSYNC"},
	{00020000, "O_ASYNC"},	   {00040000, "O_DIRECT"},
	{00100000, "O_LARGEFILE"}, {020200000, "O_TMPFILE"},
	{00200000, "O_DIRECTORY"}, {00400000, "O_NOFOLLOW"},
	{01000000, "O_NOATIME"},   {02000000, "O_CLOEXEC"},
	{010000000, "O_PATH"},	   {0, NULL},
};

#define O_CREATES (00000100 | 020000000) /* O_CREAT, __O_TMPFILE */

static const struct flag clone_flags[] = {
	{0x00000080, "CLONE_NEWTIME"},
	{CLONE_VM, "CLONE_VM"},
	{CLONE_FS, "CLONE_FS"},
	{CLONE_FILES, "CLONE_FILES"},
	{CLONE_SIGHAND, "CLONE_SIGHAND"},
	{0x00001000, "CLONE_PIDFD"},
	{CLONE_PTRACE, "CLONE_PTRACE"},
	{CLONE_VFORK, "CLONE_VFORK"},
	{CLONE_PARENT, "CLONE_PARENT"},
	{CLONE_THREAD, "CLONE_THREAD"},
	{CLONE_NEWNS, "CLONE_NEWNS"},
	{CLONE_SYSVSEM, "CLONE_SYSVSEM"},
	{CLONE_SETTLS, "CLONE_SETTLS"},
	{CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID"},
	{CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID"},
	{CLONE_DETACHED, "CLONE_DETACHED"},
	{CLONE_UNTRACED, "CLONE_UNTRACED"},
	{CLONE_CHILD_SETTID, "CLONE_CHILD_SETTID"},
	{CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{CLONE_NEWUTS, "CLONE_NEWUTS"},
	{CLONE_NEWIPC, "CLONE_NEWIPC"},
	{CLONE_NEWUSER, "CLONE_NEWUSER"},
	{CLONE_NEWPID, "CLONE_NEWPID"},
	{CLONE_NEWNET, "CLONE_NEWNET"},
	{CLONE_IO, "CLONE_IO"},
	{0, NULL},
};

/* One call being written. */
struct call {
	struct buf *b;
	const struct event *ev;
	bool json;
	unsigned strings; /* met so far */
};

/* ---- flags --------------------------------------------------------------- */

/* Append the names, each after a '|' but the first. Return: what is left. */
static uint64_t put_flags(struct buf *b, const struct flag *known_flags,
			  uint64_t v, size_t start)
{
	const struct flag *f;

	for (f = known_flags; f->name; f++) {
		if ((v & f->bits) != f->bits)
			continue;
		if (b->len != start)
			buf_putc(b, '|');
		buf_puts(b, f->name);
		v &= ~f->bits;
	}
	return v;
}

static void put_rest(struct buf *b, uint64_t rest, size_t start)
{
	if (!rest && b->len != start)
		return;
	if (b->len != start)
		buf_putc(b, '|');
	if (rest)
		buf_hex(b, rest);
	else
		buf_putc(b, '0');
}

static void put_open_flags(struct buf *b, uint32_t v)
{
	static const char *const access[] = {"O_RDONLY", "O_WRONLY", "O_RDWR",
					     "O_ACCMODE"};
	size_t start = b->len;

	buf_puts(b, access[v & O_ACCMODE]);
	put_rest(b, put_flags(b, open_flags, v & ~(uint32_t)O_ACCMODE, start),
		 start);
}

/* The low byte is the exit signal, but for unshare()'s CLONE_NEWTIME. */
static void put_clone_flags(struct buf *b, uint64_t v)
{
	char scratch[16];
	const char *name = signal_name(v & CSIGNAL_MASK, scratch);
	uint64_t rest, flags = name ? v & ~(uint64_t)CSIGNAL_MASK : v;
	size_t start = b->len;

	rest = put_flags(b, clone_flags, flags, start);
	if (rest || !name)
		put_rest(b, rest, start);
	if (!name)
		return;
	if (b->len != start)
		buf_putc(b, '|');
	buf_puts(b, name);
}

/* ---- single arguments ---------------------------------------------------- */

static void put_address(struct call *c, uint64_t v)
{
	if (!v && !c->json)
		buf_puts(c->b, "NULL");
	else
		buf_hex(c->b, v);
}

/* The string that an argument points to, or NULL when it was not kept. */
static const struct schema_field *next_string(struct call *c)
{
	static const char *const names[] = {"path", "path2"};
	const struct schema_field *f;

	if (c->strings == sizeof(names) / sizeof(*names))
		return NULL;
	f = schema_field(c->ev->kind, names[c->strings++]);
	return f && f->type == FIELD_STR ? f : NULL;
}

/* A path through io_uring has no address, only the string. */
static void put_path(struct call *c, uint64_t v)
{
	const struct schema_field *f = next_string(c);
	struct field_bytes s;

	if (!f || c->json) {
		put_address(c, v);
		return;
	}
	s = field_bytes(c->ev, f);
	if (s.full == WEIR_STR_UNKNOWN || (!v && !s.len)) {
		put_address(c, v);
		return;
	}
	render_quoted(c->b, s.data, s.len, '"');
	render_cut(c->b, &s);
}

static void put_signal(struct buf *b, int64_t v)
{
	char scratch[16];
	const char *name = signal_name(v, scratch);

	if (name)
		buf_puts(b, name);
	else
		buf_s64(b, v);
}

static void put_octal(struct buf *b, uint32_t v)
{
	char digits[12], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + (v & 7));
		v >>= 3;
	} while (v);
	if (*p != '0')
		*--p = '0';
	buf_put(b, p, (size_t)(digits + sizeof(digits) - p));
}

/* Letters that JSON shows as numbers. Return: false for the others. */
static bool put_number(struct buf *b, char letter, uint64_t v)
{
	switch (letter) {
	case 'f':
	case 'D':
	case 'i':
	case 't':
	case 'g':
		buf_s64(b, (int32_t)v);
		return true;
	case 'U':
		buf_s64(b, (uint32_t)v == UINT32_MAX ? -1L : (uint32_t)v);
		return true;
	case 'm':
		buf_u64(b, (uint32_t)v);
		return true;
	case 'l':
		buf_s64(b, (int64_t)v);
		return true;
	case 'u':
	case 'z':
		buf_u64(b, v);
		return true;
	default:
		return false;
	}
}

/* What stands for a number in text only. Return: false when nothing does. */
static bool put_named(struct buf *b, char letter, uint64_t v)
{
	if (letter == 'D' && (int32_t)v == AT_FDCWD)
		buf_puts(b, "AT_FDCWD");
	else if (letter == 'g')
		put_signal(b, (int32_t)v);
	else if (letter == 'm')
		put_octal(b, (uint32_t)v);
	else
		return false;
	return true;
}

static void put_other(struct call *c, char letter, uint64_t v)
{
	switch (letter) {
	case 'o':
		put_open_flags(c->b, (uint32_t)v);
		break;
	case 'w':
		put_clone_flags(c->b, v);
		break;
	case 's':
		put_path(c, v);
		break;
	case 'x':
		buf_hex(c->b, v);
		break;
	default:
		put_address(c, v);
	}
}

static void put_arg(struct call *c, char letter, uint64_t v)
{
	if (!c->json && put_named(c->b, letter, v))
		return;
	if (put_number(c->b, letter, v))
		return;
	if (c->json)
		buf_putc(c->b, '"');
	put_other(c, letter, v);
	if (c->json)
		buf_putc(c->b, '"');
}

/* ---- the list ------------------------------------------------------------ */

static bool is_compat(const struct event *ev)
{
	const struct schema_field *f = schema_field(ev->kind, "compat");

	return f && f->type <= FIELD_INT && field_u64(ev, f, 0);
}

/*
 * A 32-bit call may take other arguments than the 64-bit one of its name: an
 * offset in two registers, for one. Those that take a path do not.
 */
static const char *signature_of(const struct event *ev)
{
	const struct schema_field *name = schema_field(ev->kind, "name");
	uint64_t nr;

	if (!name || name->type > FIELD_INT)
		return UNKNOWN_CALL;
	nr = field_u64(ev, name, 0);
	if (nr >= sizeof(known) || !known[nr])
		return UNKNOWN_CALL;
	if (is_compat(ev) && !strchr(signatures[nr], 's'))
		return UNKNOWN_CALL;
	return signatures[nr];
}

static void put_args(struct call *c, const struct schema_field *f)
{
	const char *sig = signature_of(c->ev);
	bool opens = false, creates = false;
	unsigned i;

	for (i = 0; i < ARGS_MAX && sig[i]; i++) {
		uint64_t v = field_u64(c->ev, f, i);

		if (sig[i] == 'o') {
			opens = true;
			creates = v & O_CREATES;
		}
		/* the register of a mode not asked for holds anything */
		if (sig[i] == 'm' && opens && !creates)
			break;
		if (i)
			buf_puts(c->b, c->json ? "," : ", ");
		put_arg(c, sig[i], v);
	}
}

void args_text(struct buf *b, const struct event *ev,
	       const struct schema_field *f)
{
	struct call c = {.b = b, .ev = ev};

	put_args(&c, f);
}

void args_json(struct buf *b, const struct event *ev,
	       const struct schema_field *f)
{
	struct call c = {.b = b, .ev = ev, .json = true};

	buf_putc(b, '[');
	put_args(&c, f);
	buf_putc(b, ']');
}
