// SPDX-License-Identifier: BSD-2-Clause
/*
 * scale.c - what an event takes in each thread as a host has more CPUs
 *
 *	scale ARCHIVE [CPUS]...		(2 16 64 256)
 *
 * The events of an archive are played as those of CPUS processors: each pair of
 * simulated ones is the two that were recorded, with tasks of its own. They are
 * put into rings laid out as the kernel's (kernel/bpf/ringbuf.c), one for each
 * source and CPU, a batch at a time; the real aggregator merges them into the
 * real main ring, whose consumer does what the repo does with an event: checks
 * it, joins it to its task, appends it to a real archive. Printed is the CPU
 * time of each thread by event. That is a simulation: caches and memory are
 * those of the machine it runs on, and so are the two CPUs that the three
 * threads and the one that plays the events have to share.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/aggregator.h"
#include "../../user/clock.h"
#include "../../user/kring.h"
#include "../../user/tasks.h"
#include "recording.h"

#define RECORDED_CPUS 2
#define LOADED	      400000	       /* events of the archive that are used */
#define BATCH	      65536	       /* events put before they are merged */
#define TURNS	      24	       /* batches for each number of CPUs */
#define PID_STEP      (1U << 22)       /* PID_MAX_LIMIT, linux/threads.h */
#define JITTER_NS     37ULL	       /* between simulated CPUs */
#define EXTRA	      KRING_RECORD_MAX /* mapped behind a ring, kring.h */
#define MAIN_BYTES    (32U << 20)

struct ring {
	int fd;
	uint8_t *map, *data;
	uint64_t *tail; /* published */
	uint64_t end;	/* put so far */
	uint64_t bytes;
};

struct scale {
	const char *path;
	struct schema *schema;
	struct buf events;
	const struct weir_hdr **list; /* into @events, in order */
	unsigned count, next;
	unsigned cpus, sources;
	unsigned source_of[EV_MAX];
	struct ring *rings; /* source * cpus + cpu */
	struct account_row *rows;
	struct aggregator *aggregator;
	struct ring_producer *main_p;
	struct ring_consumer *main_c;
	struct tasks *tasks;
	struct archive_writer *archive;
	int notify_fd;
	uint64_t put, taken;
	uint64_t clock; /* what is played is stamped from here on: long past */
	uint64_t repo_ns;
	bool ended;
};

/* ---- what was recorded --------------------------------------------------- */

static int load(void *arg, struct event *ev)
{
	struct scale *s = arg;

	if (s->count == LOADED)
		return 1;
	recording_put(&s->events, ev);
	s->count++;
	return 0;
}

static void index_events(struct scale *s)
{
	size_t at = 0;
	unsigned i;

	s->list = calloc(s->count, sizeof(*s->list));
	if (!s->list)
		die("memory", -ENOMEM);
	for (i = 0; i < s->count; i++) {
		s->list[i] = (const void *)(s->events.data + at);
		at += recording_room(s->list[i]->len);
	}
}

static unsigned source_number(const struct scale *s, const char *name)
{
	unsigned i;

	for (i = 0; strcmp(schema_source(s->schema, i)->name, name); i++)
		;
	return i;
}

static void number_sources(struct scale *s)
{
	const struct schema_kind *k;
	unsigned i;

	s->sources = schema_source_count(s->schema);
	for (i = 0; i < EV_MAX; i++) {
		k = schema_kind(s->schema, i);
		if (k)
			s->source_of[i] = source_number(s, k->source);
	}
}

static void load_archive(struct scale *s, char *path)
{
	struct archive *a = recording_open(path);

	s->schema = recording_schema(a);
	recording_each(a, load, s);
	if (s->count <= BATCH) {
		fprintf(stderr, "scale: %s has %u events, of more than %u\n",
			path, s->count, BATCH);
		exit(1);
	}
	archive_free(a);
	index_events(s);
	number_sources(s);
}

/* ---- rings as the kernel's ----------------------------------------------- */

static void ring_open(struct ring *r, uint64_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = 2 * page + bytes + EXTRA;

	r->fd = memfd_create("scale", MFD_CLOEXEC);
	if (r->fd < 0 || ftruncate(r->fd, (off_t)size))
		die("memfd", -errno);
	r->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED)
		die("mmap", -errno);
	r->tail = (uint64_t *)(r->map + page);
	r->data = r->map + 2 * page;
	r->bytes = bytes;
}

static void ring_close(struct ring *r)
{
	munmap(r->map, 2 * (size_t)sysconf(_SC_PAGESIZE) + r->bytes + EXTRA);
	close(r->fd);
}

static void shift_u32(void *at, uint32_t by)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	if (v && v < PID_STEP)
		v += by;
	memcpy(at, &v, sizeof(v));
}

/* The tasks of one pair of CPUs are not those of another; the idle one is. */
static void shift_tasks(const struct schema_kind *k, struct weir_hdr *h,
			uint32_t by)
{
	const struct schema_field *f;

	shift_u32(&h->pid, by);
	shift_u32(&h->tid, by);
	for (f = k->fields; f < k->fields + k->field_count; f++)
		if ((f->meaning == MEANING_PID || f->meaning == MEANING_TID) &&
		    f->size == sizeof(by))
			shift_u32((char *)h + f->offset, by);
}

/* A record that crosses the end goes on behind it, where the reader looks. */
static void put(struct scale *s, const struct weir_hdr *from, unsigned pair,
		uint64_t ts)
{
	unsigned cpu = pair * RECORDED_CPUS + from->cpu % RECORDED_CPUS;
	struct ring *r = &s->rings[s->source_of[from->kind] * s->cpus + cpu];
	uint32_t len = from->len;
	uint8_t *at = r->data + (r->end & (r->bytes - 1));
	struct weir_hdr *h = (struct weir_hdr *)(at + 8);

	memcpy(h, from, len);
	h->cpu = (typeof(h->cpu))cpu;
	h->ts = ts + cpu * JITTER_NS;
	shift_tasks(schema_kind(s->schema, h->kind), h, pair * PID_STEP);
	memcpy(at, &len, sizeof(len));
	r->end += 8 + recording_room(len);
}

/* All at once: whatever is seen passes on, and would make the others late. */
static void publish(struct scale *s)
{
	struct ring *r;

	for (r = s->rings; r < s->rings + s->sources * s->cpus; r++)
		__atomic_store_n(r->tail, r->end, __ATOMIC_RELEASE);
}

/* @n events from @from on, as of @at. Return: how long they took. */
static uint64_t play(struct scale *s, unsigned pair, unsigned from, unsigned n,
		     uint64_t at)
{
	uint64_t first = s->list[from]->ts;
	unsigned i;

	for (i = from; i < from + n; i++)
		put(s, s->list[i], pair, at + s->list[i]->ts - first);
	return s->list[i - 1]->ts - first;
}

/* Every pair of CPUs plays another part of the recording. */
static void put_batch(struct scale *s)
{
	unsigned pairs = s->cpus / RECORDED_CPUS, n = BATCH / pairs, p;
	uint64_t span, longest = 0;

	for (p = 0; p < pairs; p++) {
		span = play(s, p, (s->next + p * n) % (s->count - n), n,
			    s->clock);
		if (span > longest)
			longest = span;
	}
	publish(s);
	s->next = (s->next + n) % s->count;
	s->put += (uint64_t)n * pairs;
	s->clock += longest + NS_PER_MS;
	if (s->clock > clock_now())
		die("this machine has not been up for long enough", -ETIME);
}

/* ---- the repo's part ----------------------------------------------------- */

static int put_state(void *arg, const void *record, size_t len)
{
	return archive_state(((struct scale *)arg)->archive, record, len);
}

static int on_state(void *arg, struct archive_writer *w)
{
	struct scale *s = arg;

	s->archive = w;
	return tasks_state(s->tasks, clock_now(), put_state, s);
}

static void accept(struct scale *s, const struct ring_record *rec)
{
	struct event ev;
	int err;

	err = event_init(&ev, s->schema, rec->data, rec->len);
	if (!err)
		err = tasks_apply(s->tasks, &ev);
	if (!err)
		err = archive_append(s->archive, &ev);
	if (err)
		die("an event", err);
}

static void *repo(void *arg)
{
	struct scale *s = arg;
	struct pollfd p = {.fd = s->notify_fd, .events = POLLIN};
	struct ring_record rec = {0};
	uint64_t n;

	while (!__atomic_load_n(&s->ended, __ATOMIC_ACQUIRE)) {
		poll(&p, 1, 10);
		if (read(s->notify_fd, &n, sizeof(n)) < 0)
			errno = 0; /* nothing yet */
		for (n = 0; ring_peek(s->main_c, &rec) == RING_OK; n++) {
			accept(s, &rec);
			ring_next(s->main_c);
		}
		ring_release(s->main_c);
		archive_tick(s->archive, clock_now());
		__atomic_store_n(&s->taken, s->taken + n, __ATOMIC_RELEASE);
	}
	s->repo_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

/* ---- one number of CPUs ------------------------------------------------ */

static void wait_for_all(struct scale *s)
{
	while (__atomic_load_n(&s->taken, __ATOMIC_ACQUIRE) < s->put)
		clock_sleep(NS_PER_MS);
}

static void open_all(struct scale *s, unsigned cpus)
{
	struct archive_options o = {
		.path = s->path,
		.state = on_state,
		.arg = s,
		.command = "scale",
		.patient = true,
		.packers = archive_packers(cpus),
	};
	uint64_t bytes = 1U << 16;
	unsigned i, n = s->sources * cpus;
	int err;

	/* Four times an even share: some CPU and source have most. */
	while (bytes < 4ULL * BATCH * 192 / cpus)
		bytes *= 2;
	s->cpus = cpus;
	s->put = s->taken = s->next = 0;
	s->clock = NS_PER_S;
	s->ended = false;
	s->rings = calloc(n, sizeof(*s->rings));
	s->rows = calloc((size_t)SOURCES_MAX * (cpus + 1), sizeof(*s->rows));
	if (!s->rings || !s->rows)
		die("memory", -ENOMEM);
	s->notify_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = ring_new_pair(&s->main_p, &s->main_c, MAIN_BYTES, RING_PREFAULT);
	if (!err)
		err = aggregator_new(&s->aggregator,
				     &(struct aggregator_options){
					     .main = s->main_p,
					     .notify_fd = s->notify_fd,
					     .rows = s->rows,
					     .cpus = cpus,
				     });
	for (i = 0; i < n && !err; i++) {
		ring_open(&s->rings[i], bytes);
		err = aggregator_add(
			s->aggregator,
			&(struct source_ring){
				.at = kring_of_map(s->rings[i].fd, bytes),
				.source = i / cpus,
			});
	}
	if (!err)
		err = tasks_new(&s->tasks, s->schema);
	if (!err)
		err = archive_create(&s->archive, s->schema, &o);
	if (err)
		die("starting", err);
}

static void close_all(struct scale *s)
{
	unsigned i;

	aggregator_free(s->aggregator);
	ring_producer_close(s->main_p);
	ring_consumer_close(s->main_c);
	for (i = 0; i < s->sources * s->cpus; i++)
		ring_close(&s->rings[i]);
	close(s->notify_fd);
	tasks_free(s->tasks);
	free(s->rings);
	free(s->rows);
}

static double per_event(const struct scale *s, uint64_t ns)
{
	return (double)ns / (double)s->put;
}

static void simulate(struct scale *s, unsigned cpus)
{
	uint64_t merge, archive, begin, player;
	struct aggregator_stats st;
	struct archive_stats as;
	pthread_t thread;
	int err, i;

	begin = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	player = clock_read(CLOCK_THREAD_CPUTIME_ID);
	open_all(s, cpus);
	err = aggregator_start(s->aggregator);
	if (!err)
		err = -pthread_create(&thread, NULL, repo, s);
	if (err)
		die("threads", err);
	for (i = 0; i < TURNS; i++) {
		put_batch(s);
		wait_for_all(s);
	}
	merge = aggregator_cpu_ns(s->aggregator);
	aggregator_stats(s->aggregator, &st);
	aggregator_stop(s->aggregator);
	__atomic_store_n(&s->ended, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	archive_flush(s->archive);
	archive_writer_stats(s->archive, &as);
	archive_close(s->archive);
	player = clock_read(CLOCK_THREAD_CPUTIME_ID) - player;
	archive = clock_read(CLOCK_PROCESS_CPUTIME_ID) - begin - player -
		  merge - s->repo_ns;
	printf("%6u %7u %9.1f M %8.0f %8.0f %8.0f %8.2f   %" PRIu64 "\n", cpus,
	       s->sources * cpus, (double)s->put * 1e-6, per_event(s, merge),
	       per_event(s, s->repo_ns), per_event(s, archive),
	       (double)as.bytes / (double)s->put, st.late);
	fflush(stdout);
	close_all(s);
}

/* However the simulation ends, this process removes what it has written. */
static int remove_after(pid_t child, const char *path)
{
	char command[4200];
	int status;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	if (waitpid(child, &status, 0) < 0)
		status = -1;
	if (WIFSIGNALED(status))
		fprintf(stderr, "scale: %s\n", strsignal(WTERMSIG(status)));
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command))
		fprintf(stderr, "scale: cannot remove %s\n", path);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const unsigned usual[] = {2, 16, 64, 256};
	char dir[] = "/tmp/weir-scale-XXXXXX", path[64];
	struct scale s = {.path = path};
	unsigned cpus;
	int i, n = argc > 2 ? argc - 2 : 4;
	pid_t child;

	if (argc < 2 || !mkdtemp(dir)) {
		fputs("usage: scale ARCHIVE [CPUS]...\n", stderr);
		return 2;
	}
	child = fork();
	if (child)
		return remove_after(child, dir);
	load_archive(&s, argv[1]);
	printf("%u recorded events, CPU ns for each:\n"
	       "%6s %7s %11s %8s %8s %8s %8s   %s\n",
	       s.count, "CPUs", "rings", "events", "merge", "repo", "archive",
	       "B/event", "late");
	for (i = 0; i < n; i++) {
		cpus = argc > 2 ? (unsigned)atoi(argv[i + 2]) : usual[i];
		if (cpus < RECORDED_CPUS || cpus > 4096 / s.sources)
			die("CPUs", -EINVAL);
		snprintf(path, sizeof(path), "%s/%u", dir, cpus);
		simulate(&s, cpus);
	}
	return 0;
}
