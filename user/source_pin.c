// SPDX-License-Identifier: BSD-2-Clause
/* Sources that outlive the process, and are taken over by another. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "kring.h"
#include "source_internal.h"

#define META_MAX (1U << 20) /* bytes: more than any recorder has to say */

/* ---- who records --------------------------------------------------------- */

static int map_own(struct sources *s)
{
	void *p = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE),
		       PROT_READ | PROT_WRITE, MAP_SHARED, s->own_fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	s->own = p;
	return 0;
}

static void set_own(struct sources *s)
{
	uint32_t self = (uint32_t)getpid();

	__atomic_store_n(&s->own->recorder, self, __ATOMIC_RELAXED);
	__atomic_store_n(&s->own->errand, s->o.errand ? s->o.errand : self,
			 __ATOMIC_RELAXED);
}

int source_make_own(struct sources *s)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int err;

	s->own_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "own", sizeof(uint32_t),
				   sizeof(struct weir_own), 1, &opts);
	err = s->own_fd < 0 ? -errno : map_own(s);
	if (!err)
		set_own(s);
	return err;
}

void source_stop(struct sources *s, enum weir_stop how)
{
	if (s->own)
		__atomic_store_n(&s->own->stopped, how, __ATOMIC_RELEASE);
}

/* ---- pinning ------------------------------------------------------------- */

static int pin_fd(const struct pin *p, int fd, const char *file)
{
	char path[PIN_PATH_MAX];

	pin_path(p, file, path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

static int pin_sort(const struct pin *p, int fd, char sort, const char *name)
{
	char file[PIN_FILE_MAX];

	snprintf(file, sizeof(file), "%c_%s", sort, name);
	return pin_fd(p, fd, file);
}

static void ring_name(const struct source *src, unsigned i,
		      char ret[PIN_FILE_MAX])
{
	snprintf(ret, PIN_FILE_MAX, "%c_%s_%u", PIN_RING, src->bytes->name, i);
}

static int pin_program(const struct pin *to, const struct program *p)
{
	int err = pin_sort(to, source_program_fd(p), PIN_PROGRAM, p->name);

	if (!err && p->link)
		err = pin_sort(to, bpf_link__fd(p->link), PIN_LINK, p->name);
	return err;
}

static int pin_source(const struct pin *to, const struct source *src)
{
	char file[PIN_FILE_MAX];
	unsigned i;
	int err;

	err = pin_sort(to, bpf_object__find_map_fd_by_name(src->obj, "account"),
		       PIN_ACCOUNT, src->bytes->name);
	for (i = 0; i < src->ring_count && !err; i++) {
		ring_name(src, i, file);
		err = pin_fd(to, src->ring_fds[i], file);
	}
	if (src->cpu_rings_fd >= 0 && !err)
		err = pin_sort(to, src->cpu_rings_fd, PIN_CPU_RINGS,
			       src->bytes->name);
	for (i = 0; i < src->program_count && !err; i++)
		err = pin_program(to, &src->programs[i]);
	return err;
}

/* What bpffs can keep is maps: so one of a single value. */
static int pin_meta(const struct pin *to, const void *meta, size_t len)
{
	uint32_t zero = 0;
	int fd, err = 0;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "meta", sizeof(zero),
			    (uint32_t)len, 1, NULL);
	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &zero, meta, BPF_ANY))
		err = -errno;
	if (!err)
		err = pin_fd(to, fd, PIN_META);
	close(fd);
	return err;
}

int sources_pin(struct sources *s, const void *meta, size_t len)
{
	struct source *list[SOURCES_MAX];
	unsigned n = source_wanted(s, list), i;
	int err;

	err = pin_fd(s->o.pin, s->own_fd, PIN_OWN);
	for (i = 0; i < n && !err; i++)
		if (list[i]->on)
			err = pin_source(s->o.pin, list[i]);
	return err ? err : pin_meta(s->o.pin, meta, len);
}

/* ---- taking over --------------------------------------------------------- */

static int get_fd(const struct pin *p, const char *file)
{
	char path[PIN_PATH_MAX];
	int fd;

	pin_path(p, file, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int get_sort(const struct pin *p, char sort, const char *name)
{
	char file[PIN_FILE_MAX];

	snprintf(file, sizeof(file), "%c_%s", sort, name);
	return get_fd(p, file);
}

static int map_info(int fd, struct bpf_map_info *ret)
{
	uint32_t len = sizeof(*ret);

	memset(ret, 0, len);
	return bpf_obj_get_info_by_fd(fd, ret, &len) ? -errno : 0;
}

bool sources_pinned_ended(const struct pin *p)
{
	struct weir_own own = {0};
	uint32_t zero = 0;
	int fd = get_fd(p, PIN_OWN);

	if (fd < 0)
		return false;
	if (bpf_map_lookup_elem(fd, &zero, &own))
		own.stopped = 0;
	close(fd);
	return own.stopped;
}

int sources_pinned(const struct pin *p, void **ret, size_t *ret_len)
{
	struct bpf_map_info info;
	uint32_t zero = 0;
	void *meta = NULL;
	int fd, err;

	fd = get_fd(p, PIN_META);
	if (fd < 0)
		return fd;
	err = map_info(fd, &info);
	if (!err &&
	    (info.type != BPF_MAP_TYPE_ARRAY || info.value_size > META_MAX))
		err = -EBADMSG;
	if (!err)
		meta = calloc(1, info.value_size + 8);
	if (!err && !meta)
		err = -ENOMEM;
	if (!err && bpf_map_lookup_elem(fd, &zero, meta))
		err = -errno;
	close(fd);
	if (err) {
		free(meta);
		return err;
	}
	*ret = meta;
	*ret_len = info.value_size;
	return 0;
}

static int take_rings(const struct pin *from, struct source *src)
{
	struct bpf_map_info info;
	char file[PIN_FILE_MAX];
	int err = 0;

	src->ring_count = 0;
	while (src->ring_count < SHARDS_MAX && !err) {
		ring_name(src, src->ring_count, file);
		if (!pin_has(from, file))
			break;
		err = get_fd(from, file);
		if (err < 0)
			return err;
		src->ring_fds[src->ring_count++] = err;
		err = map_info(err, &info);
		src->ring_bytes = info.max_entries;
	}
	return err || !src->ring_count ? (err ? err : -ENOENT) : 0;
}

/* Of the array map that they are. */
static int count_cpu_rings(int fd, struct source *to)
{
	struct bpf_map_info info;
	int err = map_info(fd, &info);

	if (!err && info.value_size <= KRING_CPU_EXTRA)
		err = -EBADMSG;
	if (err)
		return err;
	to->cpu_ring_count = info.max_entries;
	to->cpu_ring_bytes = info.value_size - KRING_CPU_EXTRA;
	return 0;
}

static int take_cpu_rings(const struct pin *from, struct source *src)
{
	int fd = get_sort(from, PIN_CPU_RINGS, src->bytes->name);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	src->cpu_rings_fd = fd;
	return count_cpu_rings(fd, src);
}

static int take_account(struct sources *s, struct source *src)
{
	int fd = get_sort(s->o.pin, PIN_ACCOUNT, src->bytes->name), err;

	if (fd < 0)
		return fd;
	err = source_map_account(s, src, fd);
	close(fd);
	return err;
}

static int take_program(const struct pin *from, struct program *p)
{
	char file[PIN_FILE_MAX], path[PIN_PATH_MAX];

	p->fd = get_sort(from, PIN_PROGRAM, p->name);
	if (p->fd < 0)
		return p->fd;
	snprintf(file, sizeof(file), "%c_%s", PIN_LINK, p->name);
	pin_path(from, file, path);
	p->link = bpf_link__open(path);
	return p->link ? 0 : -errno;
}

static int take_source(struct sources *s, struct source *src)
{
	unsigned i;
	int err;

	source_choose_programs(s, src);
	err = take_account(s, src);
	if (!err)
		err = take_rings(s->o.pin, src);
	if (!err)
		err = take_cpu_rings(s->o.pin, src);
	for (i = 0; i < src->program_count && !err; i++)
		err = take_program(s->o.pin, &src->programs[i]);
	if (!err)
		source_open_info(src);
	return err;
}

/* One that could not run then is not there. */
static void try_source(struct sources *s, struct source *src)
{
	int err = take_source(s, src);

	src->on = !err;
	if (!err)
		return;
	source_fail(src, "%s%s",
		    err == -ENOENT ? "it was when this was pinned"
				   : strerror(-err),
		    source_remedy(s, err));
	source_close_rings(src);
	source_close_programs(src);
}

int sources_take(struct sources *s)
{
	struct source *list[SOURCES_MAX];
	unsigned n = source_wanted(s, list), i;
	int err;

	s->taken = true;
	s->own_fd = get_fd(s->o.pin, PIN_OWN);
	err = s->own_fd < 0 ? s->own_fd : map_own(s);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		try_source(s, list[i]);
	source_btf_drop(s);
	if (!source_count_on(s))
		return -EOPNOTSUPP;
	set_own(s);
	return 0;
}

/* ---- for good ------------------------------------------------------------ */

/* Of the rings in the order of resume.ring: that of weir_embedded. */
struct leftover {
	const struct pin *pin;
	const struct resume *at;
	uint32_t ring;
	uint64_t unread;
};

static bool is_below(const struct resume_ring *at, uint64_t pos)
{
	uint32_t i;

	if (!at)
		return false;
	for (i = 0; i < at->count; i++)
		if (at->above[i] == pos)
			return true;
	return pos < at->pos;
}

static uint64_t count_ring(const struct kring *k, const struct resume_ring *at)
{
	uint64_t pos = kring_head(k), tail = kring_tail(k), next, n = 0;
	enum kring_state state;
	uint32_t len;

	for (; pos < tail; pos = next) {
		state = kring_at(k, pos, &len, &next);
		if (state == KRING_BUSY)
			break;
		n += state == KRING_READY && !is_below(at, pos);
	}
	return n;
}

static int look_at_ring(struct leftover *l, const struct kring_place *where)
{
	const struct resume_ring *at = NULL;
	struct kring k = {0};
	int err;

	if (l->at && l->ring == l->at->rings)
		return -EBADMSG;
	if (l->at)
		at = &l->at->ring[l->ring++];
	err = kring_open(&k, where);
	if (!err)
		l->unread += count_ring(&k, at);
	kring_done(&k);
	return err;
}

static int look_at_source(struct leftover *l, const struct source *src)
{
	struct kring_place at;
	unsigned i;
	int err = 0;

	for (i = 0; i < source_rings(src) && !err; i++) {
		at = source_ring_at(src, i);
		err = look_at_ring(l, &at);
	}
	return err;
}

/* One that has none was not on. */
static int look_at_rings(struct leftover *l, const struct embedded *e)
{
	struct source src = {.bytes = e, .cpu_rings_fd = -1};
	int err = take_rings(l->pin, &src);

	if (!err)
		err = take_cpu_rings(l->pin, &src);
	if (!err)
		err = look_at_source(l, &src);
	source_close_rings(&src);
	return err == -ENOENT ? 0 : err;
}

/* At once: the links are gone some time after their files. */
static int stop_pinned(const struct pin *p)
{
	struct sources s = {.own_fd = get_fd(p, PIN_OWN)};
	int err = s.own_fd < 0 ? s.own_fd : map_own(&s);

	source_stop(&s, WEIR_STOP_ALL);
	if (s.own)
		munmap(s.own, (size_t)sysconf(_SC_PAGESIZE));
	if (s.own_fd >= 0)
		close(s.own_fd);
	source_grace_period();
	return err;
}

int sources_unpin(const struct pin *p, const struct resume *at,
		  uint64_t *ret_unread)
{
	struct leftover l = {.pin = p, .at = at};
	const struct embedded *e;
	int err;

	*ret_unread = 0;
	if (!pin_has(p, PIN_META))
		return 0;
	err = stop_pinned(p);
	for (e = weir_embedded; e->name && !err; e++)
		err = look_at_rings(&l, e);
	*ret_unread = l.unread;
	return err;
}

#define HELD_MAX (SOURCES_MAX * PROGRAMS_MAX)
/* From the end of a grace period to that of its callbacks. */
#define NAMES_GO_NS (50 * NS_PER_MS)

struct held {
	const struct pin *pin;
	unsigned count;
	int fd[HELD_MAX];
};

static void hold(void *arg, const char *file)
{
	struct held *h = arg;
	int fd = h->count < HELD_MAX ? get_fd(h->pin, file) : -1;

	if (fd >= 0)
		h->fd[h->count++] = fd;
}

int sources_remove_pinned(const struct pin *p)
{
	struct held h = {.pin = p};
	int n;

	pin_files(p, PIN_LINK, hold, &h); /* those that can be */
	n = pin_remove(p, 0);
	if (h.count) {
		source_grace_period();
		clock_sleep(NAMES_GO_NS);
	}
	while (h.count)
		close(h.fd[--h.count]);
	return n;
}

/* ---- the account --------------------------------------------------------- */

static void resume_row(struct account_row *to, const struct account_row *from,
		       bool in_kernel)
{
	to->delivered = from->delivered;
	to->lost_main = from->lost_main;
	to->late = from->late;
	to->rejected = from->rejected;
	to->context = from->context;
	to->kept = from->kept;
	to->lost_archive = from->lost_archive;
	if (in_kernel)
		return;
	/* of weir's own what had not been delivered died with it */
	to->submitted = from->delivered;
	to->lost_kernel = from->lost_kernel;
}

void sources_resume(struct sources *s, const struct account_row *rows,
		    size_t count)
{
	struct account_row *row;
	size_t n, i, j;

	row = sources_rows(s, &n);
	for (i = 0; i < n; i++, row++) {
		for (j = 0; j < count; j++)
			if (rows[j].cpu == row->cpu &&
			    !strcmp(rows[j].source, row->source))
				resume_row(row, &rows[j],
					   s->list[i / (s->kernel.cpus + 1)]
						   .has_programs);
	}
}

/* The kernel notes the time of the first loss when it has seen that the one
 * before was told, which he who died may have done for nobody. */
void sources_resume_losses(struct sources *s, size_t row, unsigned stage,
			   uint64_t count, uint64_t until)
{
	size_t cpu = row % (s->kernel.cpus + 1);
	struct source *src = &s->list[row / (s->kernel.cpus + 1)];
	struct weir_account *a;

	if (!src->account)
		return;
	if (stage == WEIR_STAGE_HOOK && cpu == s->kernel.cpus)
		src->reported_missed = count;
	if (stage != WEIR_STAGE_KERNEL_RING || cpu == s->kernel.cpus)
		return;
	a = &src->account[cpu];
	if (count > a->lost)
		count = a->lost;
	if (a->lost_seen != count && a->lost_first > until)
		a->lost_first = until;
	__atomic_store_n(&a->lost_seen, count, __ATOMIC_RELEASE);
}
