// SPDX-License-Identifier: BSD-2-Clause
/*
 * ways.c - ways to make a system call that a monitor may not see
 *
 *	ways int80 FILE    open FILE as a 32-bit call from 64-bit code
 *	ways uring FILE    open FILE through io_uring
 *	ways sqpoll FILE   the same, submitted by the kernel's own thread
 *	ways rings FILE    write 5 bytes at 3 to FILE, read 7 at 2, make a UDP
 *	                   socket through io_uring, and say so: call and
 *	                   arguments as weir's JSON has them
 *	ways unknown       calls 400, 1000 and -1, which no kernel has
 *	ways execfd FILE   execute FILE by its descriptor, without a name
 *	ways refused FILE  unlink FILE, which seccomp refuses
 *	ways long FILE     open FILE by a path of 4095 bytes, then by one longer
 *	ways replaced FILE open FILE 50000 times, while another thread puts
 *	                   /dev/null into its descriptor
 *
 * Exit code: 0 made; 77 this kernel has no such way; 1 failed; 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIPPED	      77
#define IA32_OPEN     5 /* arch/x86/entry/syscalls/syscall_32.tbl */
#define RING_ENTRIES  4
#define NO_CALL_FIRST 400
#define REPLACED      50000
#define DESCRIPTOR    50
#define NO_CALL_OTHER 1000

static int failed(const char *what)
{
	fprintf(stderr, "ways: %s: %s\n", what, strerror(errno));
	return 1;
}

static int int80(const char *file)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int ret;

	if (low == MAP_FAILED)
		return failed("mmap");
	snprintf(low, 4096, "%s", file);
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(IA32_OPEN), "b"(low), "c"(O_RDONLY), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret >= 0 ? 0 : SKIPPED;
}

/*
 * Maps the rings and submits one entry: no library, and no call for each.
 * Return: as main(); its result is 0 or more then.
 */
static int uring_make(const struct io_uring_sqe *what, unsigned setup,
		      unsigned enter)
{
	struct io_uring_params p = {.flags = setup};
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	unsigned *array, *tail;
	char *sq, *cq;
	int fd;

	fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &p);
	if (fd < 0)
		return SKIPPED;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(*array),
		  PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return failed("io_uring");
	array = (unsigned *)(void *)(sq + p.sq_off.array);
	tail = (unsigned *)(void *)(sq + p.sq_off.tail);
	cqe = (struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes);
	*sqe = *what;
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1,
		    IORING_ENTER_GETEVENTS | enter, NULL, 0) != 1)
		return failed("io_uring_enter");
	errno = cqe->res < 0 ? -cqe->res : 0;
	return errno ? failed("its result") : 0;
}

static int uring_open(const char *file, unsigned setup, unsigned enter)
{
	struct io_uring_sqe what = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)file,
		.open_flags = O_RDONLY,
	};

	return uring_make(&what, setup, enter);
}

static int rings(const char *file)
{
	char bytes[] = "abcdefg";
	uintptr_t at = (uintptr_t)bytes;
	int fd = open(file, O_RDWR | O_CLOEXEC);
	struct io_uring_sqe to = {.opcode = IORING_OP_WRITE,
				  .fd = fd,
				  .addr = at,
				  .len = 5,
				  .off = 3};
	struct io_uring_sqe from = {.opcode = IORING_OP_READ,
				    .fd = fd,
				    .addr = at,
				    .len = 7,
				    .off = 2};
	struct io_uring_sqe udp = {.opcode = IORING_OP_SOCKET,
				   .fd = AF_INET,
				   .off = SOCK_DGRAM,
				   .len = IPPROTO_UDP};
	int ret = uring_make(&to, 0, 0);

	if (ret || uring_make(&from, 0, 0) || uring_make(&udp, 0, 0))
		return ret ? ret : 1;
	printf("pwrite64 [%d,\"%#lx\",5,3] 5\n", fd, (long)at);
	printf("pread64 [%d,\"%#lx\",7,2] 6\n", fd, (long)at);
	printf("socket [%d,%d,%d]\n", AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	return 0;
}

static int uring(const char *file)
{
	return uring_open(file, 0, 0);
}

/* A thread of the kernel's takes it, no call of ours submits it. */
static int sqpoll(const char *file)
{
	return uring_open(file, IORING_SETUP_SQPOLL, IORING_ENTER_SQ_WAKEUP);
}

static int unknown(const char *file)
{
	(void)file;
	syscall(NO_CALL_FIRST, 1, 2, 3, 4, 5, 6);
	syscall(NO_CALL_OTHER, 1, 2, 3, 4, 5, 6);
	syscall(-1L, 1, 2, 3, 4, 5, 6);
	return 0;
}

static int execfd(const char *file)
{
	char *const argv[] = {(char *)"ways", NULL};
	int fd = open(file, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return failed(file);
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return failed("execveat");
}

static int refused(const char *file)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unlink, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(*code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return failed("seccomp");
	return syscall(SYS_unlink, file) < 0 && errno == EACCES
		       ? 0
		       : failed("unlink was not refused");
}

/* "/./././…" and the file, @len bytes in all. */
static int open_padded(const char *file, size_t len)
{
	char path[8192];
	size_t pad = len - strlen(file), i;

	for (i = 0; i < pad; i++)
		path[i] = i % 2 ? '.' : '/';
	if (pad % 2)
		path[pad - 1] = '/';
	strcpy(path + pad, file);
	return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
}

static int long_paths(const char *file)
{
	if (open_padded(file, 4095) < 0)
		return failed("4095 bytes");
	if (open_padded(file, 5000) >= 0 || errno != ENAMETOOLONG)
		return failed("5000 bytes");
	return 0;
}

static bool replaced_all;

static void *replace(void *arg)
{
	int null = *(int *)arg;

	while (!__atomic_load_n(&replaced_all, __ATOMIC_RELAXED))
		if (dup2(null, DESCRIPTOR) == DESCRIPTOR)
			close(DESCRIPTOR);
	return NULL;
}

/* The next free descriptor is the one. */
static int replaced(const char *file)
{
	int null = open("/dev/null", O_RDONLY), fd, i;
	pthread_t thread;

	while ((fd = dup(null)) >= 0 && fd < DESCRIPTOR - 1)
		;
	if (pthread_create(&thread, NULL, replace, &null))
		return failed("pthread_create");
	for (i = 0; i < REPLACED; i++) {
		fd = open(file, O_RDONLY);
		if (fd >= 0)
			close(fd);
	}
	__atomic_store_n(&replaced_all, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(const char *file);
} ways[] = {
	{"int80", int80},     {"uring", uring},	      {"sqpoll", sqpoll},
	{"unknown", unknown}, {"execfd", execfd},     {"refused", refused},
	{"long", long_paths}, {"replaced", replaced}, {"rings", rings},
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (!strcmp(argv[1], ways[i].name))
			return ways[i].make(argc > 2 ? argv[2] : "");
	}
	fprintf(stderr,
		"usage: ways int80|uring|sqpoll|unknown|execfd|refused|long"
		"|replaced|rings FILE\n");
	return 2;
}
