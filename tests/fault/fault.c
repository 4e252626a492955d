// SPDX-License-Identifier: BSD-2-Clause
/*
 * fault.c - makes the libc of a program fail where a test says; LD_PRELOAD.
 *
 *   FAULT_FILE=F    counters for the test, mapped: struct counters
 *   FAULT_WHAT=W    malloc: malloc(3) and its kin; a site is a place in the
 *                   program, its five callers told apart, and fails once
 *                   write, fdatasync, openat, rename, truncate, mmap: the call
 *                   and its kin; each one counts (of standard streams none)
 *                   short: a write takes but half
 *                   clock: CLOCK_REALTIME is FAULT_STEP seconds ahead
 *   FAULT_AT=N      the Nth, from 1; 0: only count; clock: from the Nth second
 *   FAULT_ON=1      and all after it
 *   FAULT_ERRNO=E   a number (ENOMEM, EIO)
 *
 * What the program starts is left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALLERS 5
#define SITES	65536 /* at most; power of two */
#define EARLY	65536 /* bytes for dlsym(3) itself */

struct counters {
	uint64_t seen; /* sites, or calls */
	uint64_t hits; /* that failed */
};

static struct counters none, *counters = &none;
static const char *what = "";
static uint64_t at;
static time_t step_s, begun_s;
static bool on;
static int error = ENOMEM;
static uint64_t sites[SITES];
static __thread bool inside;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
	void *fn;

	inside = true;
	fn = dlsym(RTLD_NEXT, name);
	inside = false;
	return fn;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

__attribute__((constructor)) static void begin(void)
{
	int fd = open(setting("FAULT_FILE"), O_RDWR | O_CREAT | O_CLOEXEC,
		      0600);
	void *frames[CALLERS], *map = MAP_FAILED;
	struct timespec now;

	if (fd >= 0 && !ftruncate(fd, sizeof(*counters)))
		map = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		counters = map;
	close(fd);
	backtrace(frames, CALLERS); /* loads what it needs */
	at = strtoull(setting("FAULT_AT"), NULL, 10);
	step_s = atol(setting("FAULT_STEP"));
	on = setting("FAULT_ON")[0] == '1';
	if (setting("FAULT_ERRNO")[0])
		error = atoi(setting("FAULT_ERRNO"));
	clock_gettime(CLOCK_MONOTONIC, &now);
	begun_s = now.tv_sec;
	what = strdup(setting("FAULT_WHAT"));
	unsetenv("LD_PRELOAD");
}

static bool decide(uint64_t n)
{
	bool hit = at && (n == at || (on && n > at));

	if (hit)
		__atomic_fetch_add(&counters->hits, 1, __ATOMIC_RELAXED);
	return hit;
}

static uint64_t next_number(void)
{
	return __atomic_add_fetch(&counters->seen, 1, __ATOMIC_RELAXED);
}

/* Of calls each one counts. */
static bool fails(const char *call)
{
	if (inside || strcmp(what, call) != 0 || !decide(next_number()))
		return false;
	errno = error;
	return true;
}

/* ---- memory -------------------------------------------------------------- */

/* Return: false when the site was seen before. */
static bool is_new_site(uint64_t hash)
{
	uint64_t i = hash, seen;

	for (;; i++) {
		seen = 0;
		if (__atomic_compare_exchange_n(&sites[i % SITES], &seen, hash,
						false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return true;
		if (seen == hash)
			return false;
	}
}

static uint64_t hash_callers(void)
{
	void *frames[CALLERS + 3];
	uint64_t hash = 1469598103934665603;
	int i, n = backtrace(frames, CALLERS + 3);

	for (i = 3; i < n; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211;
	return hash | 1;
}

static __attribute__((noinline)) bool no_memory(void)
{
	bool new, hit;

	if (inside || strcmp(what, "malloc") != 0)
		return false;
	inside = true;
	new = is_new_site(hash_callers());
	hit = new ? decide(next_number())
		  : on && counters->hits &&decide(at + 1);
	inside = false;
	if (hit)
		errno = ENOMEM;
	return hit;
}

/* dlsym(3) asks for memory before there is a malloc to call. */
static void *early(size_t size)
{
	static _Alignas(16) uint8_t room[EARLY];
	static size_t used;
	void *p = room + used;

	used += (size + 15) & ~(size_t)15;
	if (used > EARLY)
		abort();
	return p;
}

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

void *malloc(size_t size)
{
	if (!real_malloc) {
		if (inside)
			return early(size);
		real_malloc = REAL(malloc);
	}
	return no_memory() ? NULL : real_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	if (!real_calloc) {
		if (inside)
			return early(n * size);
		real_calloc = REAL(calloc);
	}
	return no_memory() ? NULL : real_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	if (!real_realloc)
		real_realloc = REAL(realloc);
	return no_memory() ? NULL : real_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

void *mmap(void *to, size_t len, int prot, int flags, int fd, off_t off)
{
	static __typeof__(&mmap) fn;

	fn = fn ? fn : REAL(mmap);
	return fails("mmap") ? MAP_FAILED : fn(to, len, prot, flags, fd, off);
}

/* ---- files --------------------------------------------------------------- */

static bool is_standard(int fd)
{
	return fd <= STDERR_FILENO;
}

static size_t shorten(int fd, size_t len)
{
	if (is_standard(fd) || len < 2 || strcmp(what, "short") != 0)
		return len;
	return decide(next_number()) ? len / 2 : len;
}

ssize_t write(int fd, const void *data, size_t len)
{
	static __typeof__(&write) fn;

	fn = fn ? fn : REAL(write);
	if (!is_standard(fd) && fails("write"))
		return -1;
	return fn(fd, data, shorten(fd, len));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t off)
{
	static __typeof__(&pwrite) fn;

	fn = fn ? fn : REAL(pwrite);
	if (!is_standard(fd) && fails("write"))
		return -1;
	return fn(fd, data, shorten(fd, len), off);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	static __typeof__(&writev) fn;

	fn = fn ? fn : REAL(writev);
	if (!is_standard(fd) && fails("write"))
		return -1;
	return shorten(fd, (size_t)n) < (size_t)n ? fn(fd, v, n / 2)
						  : fn(fd, v, n);
}

int fdatasync(int fd)
{
	static __typeof__(&fdatasync) fn;

	fn = fn ? fn : REAL(fdatasync);
	return fails("fdatasync") ? -1 : fn(fd);
}

int ftruncate(int fd, off_t len)
{
	static __typeof__(&ftruncate) fn;

	fn = fn ? fn : REAL(ftruncate);
	return fails("truncate") ? -1 : fn(fd, len);
}

int openat(int dir, const char *path, int flags, ...)
{
	static __typeof__(&openat) fn;
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	fn = fn ? fn : REAL(openat);
	return fails("openat") ? -1 : fn(dir, path, flags, mode);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned flags)
{
	static __typeof__(&renameat2) fn;

	fn = fn ? fn : REAL(renameat2);
	return fails("rename") ? -1 : fn(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	static __typeof__(&renameat) fn;

	fn = fn ? fn : REAL(renameat);
	return fails("rename") ? -1 : fn(from_dir, from, to_dir, to);
}

/* ---- time ---------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static __typeof__(&clock_gettime) fn;
	struct timespec now;
	int err;

	fn = fn ? fn : REAL(clock_gettime);
	err = fn(clock, ret);
	if (err || clock != CLOCK_REALTIME || inside || strcmp(what, "clock"))
		return err;
	next_number();
	if (fn(CLOCK_MONOTONIC, &now) || now.tv_sec < begun_s + (time_t)at)
		return 0;
	counters->hits++;
	ret->tv_sec += step_s;
	return 0;
}

/* ---- not asked ----------------------------------------------------------- */

/*
 * What goes wrong in others without memory is theirs: glibc 2.36 crashes
 * (nss_database.c), libseccomp 2.5.4 too, or it loads a filter of which parts
 * are missing (gen_bpf.c).
 */
struct passwd *getpwnam(const char *name)
{
	static __typeof__(&getpwnam) fn;
	struct passwd *found;

	fn = fn ? fn : REAL(getpwnam);
	inside = true;
	found = fn(name);
	inside = false;
	return found;
}

struct passwd *getpwuid(uid_t uid)
{
	static __typeof__(&getpwuid) fn;
	struct passwd *found;

	fn = fn ? fn : REAL(getpwuid);
	inside = true;
	found = fn(uid);
	inside = false;
	return found;
}

int seccomp_load(const scmp_filter_ctx filter)
{
	static __typeof__(&seccomp_load) fn;
	int err;

	fn = fn ? fn : REAL(seccomp_load);
	inside = true;
	err = fn(filter);
	inside = false;
	return err;
}
