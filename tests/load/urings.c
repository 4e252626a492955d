// SPDX-License-Identifier: BSD-2-Clause
/*
 * urings.c - many requests of io_uring that are not done at once
 *
 *	urings held N    N opens (at most 32767) that wait for one another, the
 *	                 first for a byte that comes when all were submitted
 *	urings over N    N opens, whose results nobody takes and for most of
 *	                 which there is no room
 *
 * Of the paths none/1, none/2, …, which there are not. Exit code: 0 made; 77
 * this kernel has no such way; 1 failed; 2 usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SKIPPED	   77
#define ALL	   32768 /* IORING_MAX_ENTRIES */
#define SOME	   64
#define PATH_BYTES 16

struct ring {
	int fd;
	unsigned entries;
	unsigned *tail, *array;
	struct io_uring_sqe *sqe;
};

static char paths[ALL + 1][PATH_BYTES];

static int failed(const char *what)
{
	fprintf(stderr, "urings: %s: %s\n", what, strerror(errno));
	return 1;
}

static int ring_open(struct ring *r, unsigned entries)
{
	struct io_uring_params p = {.flags = IORING_SETUP_CQSIZE,
				    .cq_entries = entries};
	char *sq;

	r->entries = entries;
	r->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	if (r->fd < 0)
		return SKIPPED;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(*r->array),
		  PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		  IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, p.sq_entries * sizeof(*r->sqe),
		      PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQES);
	if (sq == MAP_FAILED || r->sqe == MAP_FAILED)
		return failed("io_uring");
	r->tail = (unsigned *)(void *)(sq + p.sq_off.tail);
	r->array = (unsigned *)(void *)(sq + p.sq_off.array);
	return 0;
}

static struct io_uring_sqe *ring_next(struct ring *r, unsigned *ret_tail)
{
	unsigned at = *ret_tail & (r->entries - 1);

	memset(&r->sqe[at], 0, sizeof(r->sqe[at]));
	r->array[at] = at;
	++*ret_tail;
	return &r->sqe[at];
}

/* One that fails does not end the chain. */
static void ask_open(struct io_uring_sqe *sqe, unsigned n)
{
	snprintf(paths[n], sizeof(paths[n]), "none/%u", n);
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)paths[n];
	sqe->open_flags = O_RDONLY;
	sqe->flags = IOSQE_IO_HARDLINK;
}

static int submit(struct ring *r, unsigned tail, unsigned count, unsigned wait)
{
	__atomic_store_n(r->tail, tail, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, count, wait,
		    wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0) != (long)count)
		return failed("io_uring_enter");
	return 0;
}

static int held(unsigned n)
{
	struct ring r;
	struct io_uring_sqe *sqe;
	unsigned tail = 0, i;
	int in_out[2], rc;
	char byte = 0;

	rc = ring_open(&r, ALL);
	if (rc)
		return rc;
	if (pipe(in_out))
		return failed("pipe");
	sqe = ring_next(&r, &tail);
	sqe->opcode = IORING_OP_READ;
	sqe->fd = in_out[0];
	sqe->addr = (uintptr_t)&byte;
	sqe->len = 1;
	sqe->flags = IOSQE_IO_HARDLINK;
	for (i = 1; i <= n; i++)
		ask_open(ring_next(&r, &tail), i);
	rc = submit(&r, tail, n + 1, 0);
	if (rc)
		return rc;
	if (write(in_out[1], &byte, 1) != 1)
		return failed("write");
	return submit(&r, tail, 0, n + 1);
}

static int over(unsigned n)
{
	struct ring r;
	unsigned tail = 0, i, count;
	int rc = ring_open(&r, SOME);

	for (i = 0; i < n && !rc; i += count) {
		for (count = 0; count < SOME && i + count < n; count++)
			ask_open(ring_next(&r, &tail), i + count + 1);
		rc = submit(&r, tail, count, 1);
	}
	return rc;
}

int main(int argc, char **argv)
{
	unsigned n = argc == 3 ? (unsigned)atoi(argv[2]) : 0;

	if (n && n < ALL && !strcmp(argv[1], "held"))
		return held(n);
	if (n && n < ALL && !strcmp(argv[1], "over"))
		return over(n);
	fprintf(stderr, "usage: urings held|over N\n");
	return 2;
}
