// SPDX-License-Identifier: BSD-2-Clause
/*
 * load.c - make an exactly known number of events, and nothing like them
 *
 * Run under `weir record -- load …`; the counts asked for are the truth that
 * the archive is held against. The program is static, so that the dynamic
 * loader adds no opens, and it makes each counted event in one place. Every
 * load is bounded in count or time and talks to the loopback only.
 *
 *	load info             kernel, CPUs, BTF: the machine it runs on
 *	load calls THREADS N  N times getppid in each of THREADS threads
 *	load numbered THREADS N  N times close of a bad descriptor in each
 *	                      thread T, numbered T * 100000000 + 1, + 2, ...
 *	load crash FILE MS    open FILE, wait MS milliseconds, die of SIGSEGV
 *	load kinds N          N rounds of 8 system calls, each another one
 *	load naps N US        N times nanosleep of US microseconds
 *	load opens FILE N     N opens of FILE for reading
 *	load flip A B N       N opens of a path that another thread keeps
 *	                      changing from A to B and back
 *	load renamed A B N    N opens of `file` in the directory A, which
 *another thread keeps renaming to B and back load procs N          N times
 *fork, exec (of itself) and exit 7 load tree N           N times fork, exec of
 *itself, which does fork, exec of /bin/true and waits load tcp N            N
 *loopback TCP connections, each closed load blocks FILE N    N direct writes of
 *4096 bytes to FILE load pipes N          N round trips of a byte between two
 *processes load rate HZ S        getppid at HZ per second for S seconds load
 *numbers HZ S     lseek(-1, n) at HZ per second for S seconds, with n = 1, 2,
 *…: which of them are there can be told load noise HZ N       N opens, at HZ
 *per second, of paths of 4000 random bytes: events that cannot be packed load
 *storm S          all of it at once for S seconds load hold S           sleep S
 *seconds inside one system call load cut MOUNTPOINT   the power fails for that
 *file system (ext4, xfs): what is not on the disk now never gets there
 *
 * stdout: "ns N", the time the load took by CLOCK_MONOTONIC; pipes: "switches
 * N", how often both processes left a CPU.
 * Exit code: 0 all were made; 1 one failed (a line on stderr says which);
 * 2 usage.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_STATUS 7
#define MAX_THREADS  64
#define BLOCK_BYTES  4096
#define NOISE_BYTES  4000 /* of a path */
#define NS_PER_S     1000000000LL
#define NUMBERS	     100000000L /* of one thread of numbered */
/* fs/ext4/ext4.h, fs/xfs/libxfs/xfs_fs.h: the log is not flushed before. */
#define FS_SHUTDOWN	       _IOR('X', 125, uint32_t)
#define FS_SHUTDOWN_NOLOGFLUSH 2

static int failed(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	return 1;
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void sleep_ns(long long ns)
{
	struct timespec ts = {ns / NS_PER_S, ns % NS_PER_S};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static int info(char **arg)
{
	struct utsname u;
	struct stat st;

	(void)arg;
	if (uname(&u) || stat("/sys/kernel/btf/vmlinux", &st))
		return failed("/sys/kernel/btf/vmlinux");
	printf("%s, %ld CPUs, BTF of %lld bytes\n", u.release,
	       sysconf(_SC_NPROCESSORS_ONLN), (long long)st.st_size);
	return 0;
}

static void *call_thread(void *arg)
{
	for (long n = *(long *)arg; n > 0; n--)
		syscall(SYS_getppid);
	return NULL;
}

static int in_threads(void *(*run)(void *), long threads, void *args,
		      size_t step)
{
	pthread_t thread[MAX_THREADS];

	for (long i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, run,
				       (char *)args + (size_t)i * step);
		if (errno)
			return failed("pthread_create");
	}
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static long thread_count(const char *arg)
{
	long threads = atol(arg);

	return threads < MAX_THREADS ? threads : MAX_THREADS;
}

static int calls(char **arg)
{
	long n = atol(arg[1]);

	return in_threads(call_thread, thread_count(arg[0]), &n, 0);
}

struct numbers {
	long first, last;
};

static void *number_thread(void *arg)
{
	const struct numbers *n = arg;

	for (long i = n->first; i <= n->last; i++)
		syscall(SYS_close, i);
	return NULL;
}

static int numbered(char **arg)
{
	long threads = thread_count(arg[0]);
	struct numbers numbers[MAX_THREADS];

	for (long i = 0; i < threads; i++) {
		numbers[i].first = (i + 1) * NUMBERS + 1;
		numbers[i].last = (i + 1) * NUMBERS + atol(arg[1]);
	}
	return in_threads(number_thread, threads, numbers, sizeof(*numbers));
}

static int crash(char **arg)
{
	if (open(arg[0], O_RDONLY | O_CLOEXEC) < 0)
		return failed(arg[0]);
	sleep_ns(atol(arg[1]) * 1000000LL);
	raise(SIGSEGV);
	return 0;
}

static int kinds(char **arg)
{
	char byte;

	for (long n = atol(arg[0]); n > 0; n--) {
		int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fcntl(fd, F_GETFD) < 0 ||
		    lseek(fd, 0, SEEK_SET) || read(fd, &byte, 1) != 1 ||
		    pread(fd, &byte, 1, 0) != 1 || syscall(SYS_getppid) < 0 ||
		    syscall(SYS_faccessat, AT_FDCWD, "/dev/null", R_OK) ||
		    close(fd))
			return failed("/dev/zero");
	}
	return 0;
}

static int opens(char **arg)
{
	for (long n = atol(arg[1]); n > 0; n--) {
		int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return failed(arg[0]);
		close(fd);
	}
	return 0;
}

static int naps(char **arg)
{
	long us = atol(arg[1]);

	for (long n = atol(arg[0]); n > 0; n--)
		sleep_ns(us * 1000);
	return 0;
}

/* The path that flip() opens while flipper() rewrites it. */
static struct {
	char path[256];
	const char *from[2];
	int stop;
} flipped;

static void *flipper(void *arg)
{
	for (long i = 0; !__atomic_load_n(&flipped.stop, __ATOMIC_RELAXED); i++)
		memcpy(flipped.path, flipped.from[i & 1],
		       strlen(flipped.from[0]));
	return arg;
}

/* A and B differ in letters, not in length, so every mixture is a path. */
static int flip(char **arg)
{
	pthread_t thread;
	int fd;

	if (strlen(arg[0]) != strlen(arg[1]) ||
	    strlen(arg[0]) >= sizeof(flipped.path))
		return failed("A and B must be of one length");
	flipped.from[0] = arg[0];
	flipped.from[1] = arg[1];
	strcpy(flipped.path, arg[0]);
	errno = pthread_create(&thread, NULL, flipper, NULL);
	if (errno)
		return failed("pthread_create");
	for (long n = atol(arg[2]); n > 0; n--) {
		fd = open(flipped.path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	__atomic_store_n(&flipped.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}

static void *renamer(void *arg)
{
	char **to = arg;

	while (!__atomic_load_n(&flipped.stop, __ATOMIC_RELAXED))
		if (rename(to[0], to[1]) || rename(to[1], to[0]))
			break;
	return arg;
}

static int renamed(char **arg)
{
	int at = open(arg[0], O_PATH | O_CLOEXEC), fd;
	pthread_t thread;

	if (at < 0)
		return failed(arg[0]);
	errno = pthread_create(&thread, NULL, renamer, arg);
	if (errno)
		return failed("pthread_create");
	for (long n = atol(arg[2]); n > 0; n--) {
		fd = openat(at, "file", O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	__atomic_store_n(&flipped.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	close(at);
	return 0;
}

static int child(char **arg)
{
	(void)arg;
	return CHILD_STATUS;
}

/* fork, exec @path with @word, wait. Return: its status, or -1. */
static int run_one(const char *path, const char *word)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid) {
		execl(path, "load", word, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int procs(char **arg)
{
	for (long n = atol(arg[0]); n > 0; n--)
		if (run_one("/proc/self/exe", "child") != CHILD_STATUS)
			return failed("child");
	return 0;
}

static int branch(char **arg)
{
	(void)arg;
	return run_one("/bin/true", NULL) ? failed("/bin/true") : 0;
}

static int tree(char **arg)
{
	for (long n = atol(arg[0]); n > 0; n--)
		if (run_one("/proc/self/exe", "branch"))
			return failed("branch");
	return 0;
}

/* One connection, both ends in this process. Return: 0, or 1 with a message. */
static int tcp_once(int listener, const struct sockaddr_in *to)
{
	int ret = 1, peer = -1, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const void *)to, sizeof(*to))) {
		failed("connect");
		goto out;
	}
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0 || write(fd, "x", 1) != 1) {
		failed("accept");
		goto out;
	}
	ret = 0;
out:
	if (peer >= 0)
		close(peer);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int tcp(char **arg)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int ret = 0, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (void *)&sin, len) || listen(fd, 8) ||
	    getsockname(fd, (void *)&sin, &len))
		return failed("listen on loopback");
	for (long n = atol(arg[0]); n > 0 && !ret; n--)
		ret = tcp_once(fd, &sin);
	close(fd);
	return ret;
}

static int blocks(char **arg)
{
	static char page[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	int fd = open(arg[0], O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0)
		return failed(arg[0]);
	for (long i = 0, n = atol(arg[1]); i < n; i++)
		if (pwrite(fd, page, sizeof(page), i * BLOCK_BYTES) !=
		    BLOCK_BYTES)
			return failed("pwrite");
	close(fd);
	return 0;
}

/* One side of a ping-pong: @n times read, then write. */
static int bounce(int in, int out, long n)
{
	char byte = 0;

	for (; n > 0; n--)
		if (read(in, &byte, 1) != 1 || write(out, &byte, 1) != 1)
			return failed("pipe");
	return 0;
}

/* How often this process and its ended children left a CPU. */
static long switches(void)
{
	struct rusage self, children;

	if (getrusage(RUSAGE_SELF, &self) ||
	    getrusage(RUSAGE_CHILDREN, &children))
		return 0;
	return self.ru_nvcsw + self.ru_nivcsw + children.ru_nvcsw +
	       children.ru_nivcsw;
}

static int pipes(char **arg)
{
	long n = atol(arg[0]), before = switches();
	int to[2], from[2];
	pid_t pid;

	if (pipe(to) || pipe(from))
		return failed("pipe");
	pid = fork();
	if (pid < 0)
		return failed("fork");
	if (!pid)
		_exit(bounce(to[0], from[1], n));
	for (; n > 0; n--) {
		char byte = 1;

		if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
			return failed("pipe");
	}
	waitpid(pid, NULL, 0);
	printf("switches %ld\n", switches() - before);
	return 0;
}

/* @one, @hz times a second, until @ns are over or @n are done. */
static long pace(long hz, long long ns, long n, void (*one)(long number))
{
	long long start = now_ns(), t;
	long done = 0, due;

	for (t = start; t < start + ns && done < n; t = now_ns()) {
		due = (long)((t - start) * hz / NS_PER_S);
		for (; done < due && done < n; done++)
			one(done + 1);
		sleep_ns(1000000);
	}
	return done;
}

static void call_one(long number)
{
	(void)number;
	syscall(SYS_getppid);
}

static int rate(char **arg)
{
	printf("calls %ld\n",
	       pace(atol(arg[0]), atol(arg[1]) * NS_PER_S, LONG_MAX, call_one));
	return 0;
}

static void number_one(long number)
{
	lseek(-1, number, SEEK_SET);
}

static int numbers(char **arg)
{
	printf("numbers %ld\n", pace(atol(arg[0]), atol(arg[1]) * NS_PER_S,
				     LONG_MAX, number_one));
	return 0;
}

static void noise_one(long number)
{
	static uint64_t seed = 1;
	char path[NOISE_BYTES + 1];
	size_t i;

	for (i = 0; i < NOISE_BYTES; i++) {
		seed = seed * 6364136223846793005ULL + (uint64_t)number;
		path[i] = (char)(1 + (seed >> 40) % 255);
	}
	path[NOISE_BYTES] = '\0';
	if (open(path, O_RDONLY | O_CLOEXEC) >= 0)
		failed("noise is a file");
}

static int noise(char **arg)
{
	pace(atol(arg[0]), LLONG_MAX / 2, atol(arg[1]), noise_one);
	return 0;
}

static int cut(char **arg)
{
	uint32_t how = FS_SHUTDOWN_NOLOGFLUSH;
	int fd = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, FS_SHUTDOWN, &how))
		return failed(arg[0]);
	close(fd);
	return 0;
}

static int hold(char **arg)
{
	sleep_ns(atol(arg[0]) * NS_PER_S);
	return 0;
}

/* What storm() repeats, each in a process of its own, until time is up. */
static char *storm_args[][3] = {
	{"calls", "1", "20000"}, {"pipes", "500", NULL}, {"tree", "5", NULL},
	{"tcp", "20", NULL},	 {"naps", "100", "100"},
};

static int run_load(char **words);

static int storm(char **arg)
{
	long long end = now_ns() + atol(arg[0]) * NS_PER_S;
	size_t i;

	for (i = 0; i < sizeof(storm_args) / sizeof(*storm_args); i++) {
		if (fork())
			continue;
		while (now_ns() < end)
			if (run_load(storm_args[i]))
				_exit(1);
		_exit(0);
	}
	while (i--)
		wait(NULL);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} loads[] = {
	{"info", 0, info},   {"calls", 2, calls},
	{"naps", 2, naps},   {"opens", 2, opens},
	{"flip", 3, flip},   {"renamed", 3, renamed},
	{"procs", 1, procs}, {"child", 0, child},
	{"tree", 1, tree},   {"branch", 0, branch},
	{"tcp", 1, tcp},     {"blocks", 2, blocks},
	{"pipes", 1, pipes}, {"numbered", 2, numbered},
	{"crash", 2, crash}, {"rate", 2, rate},
	{"hold", 1, hold},   {"storm", 1, storm},
	{"noise", 2, noise}, {"kinds", 1, kinds},
	{"cut", 1, cut},     {"numbers", 2, numbers},
};

/* Return: what the load returned; 2 there is none of that name. */
static int run_load(char **words)
{
	size_t i;

	for (i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		if (!strcmp(words[0], loads[i].name))
			return loads[i].run(words + 1);
	return 2;
}

static int args_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		if (!strcmp(name, loads[i].name))
			return loads[i].args;
	return -1;
}

int main(int argc, char **argv)
{
	long long start = now_ns();
	int ret;

	if (argc < 2 || args_of(argv[1]) != argc - 2) {
		fputs("usage: load WHAT ARG…, see the head of load.c\n",
		      stderr);
		return 2;
	}
	ret = run_load(argv + 1);
	if (strcmp(argv[1], "child") && strcmp(argv[1], "branch"))
		printf("ns %lld\n", now_ns() - start);
	return ret;
}
