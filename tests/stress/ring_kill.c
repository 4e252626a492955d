// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_kill.c - SIGKILL at random moments, over and over, on one shared ring.
 *
 * Producer killed: every record it knows to be committed is read, in order and
 * to the byte; at most one more is there, committed in its last instant; the
 * next producer goes on behind it. Consumer killed: no record is skipped, the
 * next consumer sees again at most what was not given back. Window producer
 * killed: the window ends with the last committed record.
 *
 * What a child knows it tells through a page of its own, not through the ring.
 */
#include "ring_check.h"
#include "ring_records.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS	   500
#define RING_BYTES (1u << 16)
#define LIFE_NS	   (2 * MS) /* at most, of each victim */

/* Written by a child, read by the parent after (or while) it lives. */
struct progress {
	uint64_t next; /* records below it are committed, or were read */
	uint64_t bad;  /* a child found something wrong */
};

static struct progress *progress;
static uint64_t seed = 88172645463325252ull;

static void tell(uint64_t next)
{
	__atomic_store_n(&progress->next, next, __ATOMIC_RELEASE);
}

static uint64_t told(void)
{
	return __atomic_load_n(&progress->next, __ATOMIC_ACQUIRE);
}

static void give_up(void)
{
	progress->bad = 1;
	_exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static pid_t start(void (*child)(int fd, uint64_t from), int fd, uint64_t from)
{
	pid_t pid = fork();

	check(pid >= 0);
	if (!pid) {
		child(fd, from);
		_exit(0);
	}
	return pid;
}

static void stop(pid_t pid)
{
	check(!kill(pid, SIGKILL));
	check(waitpid(pid, NULL, 0) == pid);
	check(!progress->bad);
}

/* --- the producer is killed ---------------------------------------------- */

static void produce_until_killed(int fd, uint64_t from)
{
	struct ring_producer *p;
	int r;

	if (ring_attach_producer(&p, fd))
		give_up();
	for (uint64_t seq = from;; seq += r == RING_OK) {
		r = nth_write(p, seq);
		if (r == RING_OK)
			tell(seq + 1);
		else
			sched_yield();
	}
}

/* What can be read now, up to @most records; returns the next number. */
static uint64_t drain(struct ring_consumer *c, uint64_t seq, uint64_t most)
{
	unsigned char buf[NTH_MAX];
	struct ring_record rec;
	int r = RING_OK;

	while (most-- && (r = ring_read(c, buf, sizeof(buf), &rec)) == RING_OK)
		check(nth_ok(&rec, seq++, c->max));
	check(r == RING_OK || r == RING_EMPTY);
	return seq;
}

static void kill_producers(void)
{
	uint64_t seq = 0, extra = 0, end;
	struct ring_consumer *c;
	int fd, pidfd;
	pid_t pid;

	check(!ring_create(&fd, RING_BYTES, 0));
	check(!ring_attach_consumer(&c, fd));
	for (int i = 0; i < KILLS; i++) {
		tell(seq);
		pid = start(produce_until_killed, fd, seq);
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		check(pidfd >= 0);
		ring_watch(c, pidfd);
		end = now_ns() + rnd(&seed) % LIFE_NS;
		while (now_ns() < end)
			seq = drain(c, seq, 100);
		stop(pid);
		while (ring_wait(c, RING_BYTES, UINT64_MAX) != RING_PEER_DEAD)
			seq = drain(c, seq, UINT64_MAX);
		seq = drain(c, seq, UINT64_MAX);
		check(seq == told() || seq == told() + 1);
		extra += seq - told();
		close(pidfd);
	}
	printf("producer killed %d times: %llu records, none lost, "
	       "%llu committed at the last instant\n",
	       KILLS, (unsigned long long)seq, (unsigned long long)extra);
	ring_consumer_close(c);
	close(fd);
}

/* --- the consumer is killed ---------------------------------------------- */

/* Which record is this, near @next? (types are its low 16 bits) */
static uint64_t which(const struct ring_record *rec, uint64_t next)
{
	return next + 1 - (uint16_t)(next + 1 - rec->type);
}

/* May come again: what was read since space was last given back. */
static uint64_t quantum_records(const struct ring_consumer *c)
{
	return c->quantum / RING_HEADER + 1;
}

static void consume_until_killed(int fd, uint64_t from)
{
	uint64_t seq = from, first;
	unsigned char buf[NTH_MAX];
	struct ring_consumer *c;
	struct ring_record rec;
	bool started = false;
	int r;

	if (ring_attach_consumer(&c, fd))
		give_up();
	for (;;) {
		r = ring_read(c, buf, sizeof(buf), &rec);
		if (r == RING_EMPTY) {
			sched_yield();
			continue;
		}
		if (r == RING_OK && !started) {
			first = which(&rec, from);
			if (from + 1 - first > quantum_records(c) + 1)
				give_up();
			seq = first;
			started = true;
		}
		if (r != RING_OK || !nth_ok(&rec, seq++, c->max))
			give_up();
		tell(seq);
	}
}

static void kill_consumers(void)
{
	struct ring_producer *p;
	struct ring_record rec = {0};
	struct ring_consumer *c;
	uint64_t seq = 0, end;
	pid_t pid;
	int fd;

	check(!ring_create(&fd, RING_BYTES, 0));
	check(!ring_attach_producer(&p, fd));
	tell(0);
	for (int i = 0; i < KILLS; i++) {
		pid = start(consume_until_killed, fd, told());
		end = now_ns() + rnd(&seed) % LIFE_NS;
		while (now_ns() < end)
			if (nth_write(p, seq) == RING_OK)
				seq++;
			else
				sched_yield();
		stop(pid);
		check(told() <= seq);
	}
	check(!ring_attach_consumer(&c, fd));
	if (ring_peek(c, &rec) == RING_OK)
		check(drain(c, which(&rec, told()), UINT64_MAX) == seq);
	check(ring_space(p) == RING_BYTES && p->forged == 0);
	printf("consumer killed %d times: %llu records, none skipped\n", KILLS,
	       (unsigned long long)seq);
	ring_consumer_close(c);
	ring_producer_close(p);
	close(fd);
}

/* --- the producer of a window is killed ---------------------------------- */

/* Same records, to be recognised by position: the number is in the record. */
static void overwrite_until_killed(int fd, uint64_t from)
{
	struct ring_producer *p;
	uint64_t buf[8];

	if (ring_attach_producer(&p, fd))
		give_up();
	for (uint64_t seq = from;; seq++) {
		for (unsigned int i = 0; i < 8; i++)
			buf[i] = seq + i;
		if (ring_write(p, 0, buf, 8 + nth_len(seq, 56)) != RING_OK)
			give_up();
		tell(seq + 1);
	}
}

/* Check a snapshot; returns the number after its last record, 0 if empty. */
static uint64_t look(const struct ring_observer *o, unsigned char *buf)
{
	struct ring_snapshot_info info;
	uint64_t v[8], next = 0;
	struct ring_record rec;
	size_t off = 0;
	int r = ring_snapshot(o, buf, RING_BYTES, &info);

	check(r == RING_OK || r == RING_EMPTY);
	while (ring_parse(buf, info.end - info.first, &off, &rec) == RING_OK) {
		memset(v, 0, sizeof(v));
		memcpy(v, rec.data, rec.len);
		check(!next || v[0] == next);
		next = v[0] + 1;
		check(rec.len == 8 + nth_len(v[0], 56));
		for (unsigned int i = 1; i < rec.len / 8; i++)
			check(v[i] == v[0] + i);
	}
	return next;
}

static void kill_window_producers(void)
{
	unsigned char *buf = malloc(RING_BYTES);
	uint64_t seq = 1, end, empty = 0;
	struct ring_observer *o;
	pid_t pid;
	int fd;

	check(buf && !ring_create(&fd, RING_BYTES, RING_OVERWRITE));
	check(!ring_attach_observer(&o, fd));
	for (int i = 0; i < KILLS; i++) {
		tell(seq);
		pid = start(overwrite_until_killed, fd, seq);
		end = now_ns() + rnd(&seed) % LIFE_NS;
		while (now_ns() < end)
			empty += !look(o, buf);
		stop(pid);
		seq = look(o, buf);
		if (!seq) /* killed before its first record ever */
			seq = 1;
		check(seq == told() || seq == told() + 1);
	}
	printf("window producer killed %d times: %llu records, none lost, "
	       "%llu looks at nothing\n",
	       KILLS, (unsigned long long)seq - 1, (unsigned long long)empty);
	ring_observer_close(o);
	free(buf);
	close(fd);
}

int main(void)
{
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(progress != MAP_FAILED);
	kill_producers();
	kill_consumers();
	kill_window_producers();
	return 0;
}
