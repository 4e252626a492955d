// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_map.c - where rings live: memfd, mappings, attaching, closing.
 *
 * Whoever attaches maps only the pages of its own part writable. That stops
 * stray writes, not a hostile peer, which may map its fd as it likes; against
 * that stand the seals (the file cannot shrink: no SIGBUS), the checks here,
 * and the private positions and checks in ring.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define RING_MAGIC	 0x676e697272696577ull /* "weirring" */
#define RING_ABI	 1u
#define RING_SEALS	 (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define RING_TMPFS_MAGIC 0x01021994 /* TMPFS_MAGIC in linux/magic.h */

/* Page 0: what this is. */
struct ring_id {
	uint64_t magic;
	uint32_t abi;
	uint32_t flags; /* RING_OVERWRITE or 0 */
	uint64_t size;
	uint64_t page; /* bytes; layout depends on it */
};

enum { PAGE_ID, PAGE_RX, PAGE_TX, PAGE_DATA };

/* A mapping between two guard pages, and how many handles are on it. */
struct ring_map {
	unsigned char *base;
	size_t len;
	struct ring_id id;
	unsigned int refs;
};

_Static_assert(sizeof(struct ring_tx) <= 4096, "fits the smallest page");
_Static_assert(__GCC_ATOMIC_LLONG_LOCK_FREE == 2, "lock-free 64-bit words");
_Static_assert(RING_SIZE_MIN / 8 >= 8, "an eighth is a multiple of 8");

/* --- geometry ------------------------------------------------------------ */

static uint64_t page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t max_payload(uint64_t size)
{
	return size / 8 < RING_PAYLOAD_MAX ? size / 8 : RING_PAYLOAD_MAX;
}

/* Refuse mode has no notes: the ring is one block. */
static unsigned int block_shift(const struct ring_id *id)
{
	uint64_t block = id->size;

	if (id->flags & RING_OVERWRITE)
		block = block / RING_NOTES < 8 ? 8 : block / RING_NOTES;
	return (unsigned int)__builtin_ctzll(block);
}

static bool size_ok(uint64_t size)
{
	return size >= RING_SIZE_MIN && size <= RING_SIZE_MAX &&
	       !(size & (size - 1));
}

static size_t map_bytes(const struct ring_id *id)
{
	uint64_t apron = ring_need(max_payload(id->size)) - RING_HEADER;
	uint64_t len = PAGE_DATA * id->page + id->size + apron;

	return (len + id->page - 1) & ~(id->page - 1);
}

static struct ring_id make_id(size_t size, unsigned int flags)
{
	return (struct ring_id){
		.magic = RING_MAGIC,
		.abi = RING_ABI,
		.flags = flags & RING_OVERWRITE,
		.size = size,
		.page = page_bytes(),
	};
}

/* --- mappings ------------------------------------------------------------ */

static void map_unref(struct ring_map *m)
{
	if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (m->base)
		munmap(m->base - m->id.page, m->len + 2 * m->id.page);
	free(m);
}

/* Address space with a guard page at either end; nothing mapped in it yet. */
static int map_new(struct ring_map **ret, const struct ring_id *id)
{
	struct ring_map *m = calloc(1, sizeof(*m));
	void *at;

	if (!m)
		return -ENOMEM;
	m->id = *id;
	m->len = map_bytes(id);
	m->refs = 1;
	at = mmap(NULL, m->len + 2 * id->page, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED) {
		free(m);
		return -ENOMEM;
	}
	m->base = (unsigned char *)at + id->page;
	*ret = m;
	return 0;
}

static int map_anonymous(struct ring_map **ret, const struct ring_id *id,
			 unsigned int flags)
{
	int populate = flags & RING_PREFAULT ? MAP_POPULATE : 0;
	struct ring_map *m;
	int r = map_new(&m, id);

	if (r)
		return r;
	if (mmap(m->base, m->len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | populate, -1,
		 0) == MAP_FAILED) {
		map_unref(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

/* Map @fd read-only but for @pages pages from @first on (0: to the end). */
static int map_fd(struct ring_map **ret, int fd, const struct ring_id *id,
		  unsigned int first, unsigned int pages)
{
	struct ring_map *m;
	int r = map_new(&m, id);

	if (r)
		return r;
	if (mmap(m->base, m->len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		goto fail;
	if (first &&
	    mprotect(m->base + first * id->page,
		     pages ? pages * id->page : m->len - first * id->page,
		     PROT_READ | PROT_WRITE))
		goto fail;
	*ret = m;
	return 0;
fail:
	r = errno == EACCES || errno == EPERM ? -EACCES : -ENOMEM;
	map_unref(m);
	return r;
}

static struct ring_rx *map_rx(const struct ring_map *m)
{
	return (struct ring_rx *)(void *)(m->base + PAGE_RX * m->id.page);
}

static struct ring_tx *map_tx(const struct ring_map *m)
{
	return (struct ring_tx *)(void *)(m->base + PAGE_TX * m->id.page);
}

static unsigned char *map_data(const struct ring_map *m)
{
	return m->base + PAGE_DATA * m->id.page;
}

/* --- the file ------------------------------------------------------------ */

int ring_create(int *ret_fd, size_t size, unsigned int flags)
{
	struct ring_id id = make_id(size, flags);
	int fd, r = 0;

	if (!size_ok(size) || flags & ~(RING_OVERWRITE | RING_PREFAULT))
		return -EINVAL;
	fd = memfd_create("weir-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)map_bytes(&id)) ||
	    pwrite(fd, &id, sizeof(id), 0) != sizeof(id) ||
	    (flags & RING_PREFAULT &&
	     fallocate(fd, 0, 0, (off_t)map_bytes(&id))) ||
	    fcntl(fd, F_ADD_SEALS, RING_SEALS))
		r = -errno;
	if (r) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/*
 * The seals make the size final; on tmpfs, unlike hugetlbfs, every page can
 * then be had. So no access to the mapping can fault.
 */
static int check_file(int fd, struct stat *ret_st)
{
	struct statfs fs;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & RING_SEALS) != RING_SEALS)
		return -EINVAL;
	if (fstatfs(fd, &fs) || fs.f_type != RING_TMPFS_MAGIC ||
	    fstat(fd, ret_st))
		return -EINVAL;
	return 0;
}

/* Read page 0 once into private memory, and believe it only if it fits. */
static int read_id(struct ring_id *ret, int fd)
{
	struct ring_id id;
	struct stat st;
	int r = check_file(fd, &st);

	if (r)
		return r;
	if (pread(fd, &id, sizeof(id), 0) != sizeof(id) ||
	    id.magic != RING_MAGIC)
		return -EBADMSG;
	if (id.abi != RING_ABI || id.page != page_bytes())
		return -EPROTONOSUPPORT;
	if (!size_ok(id.size) || id.flags & ~RING_OVERWRITE ||
	    st.st_size != (off_t)map_bytes(&id))
		return -EBADMSG;
	*ret = id;
	return 0;
}

/* --- handles ------------------------------------------------------------- */

static bool position_ok(uint64_t pos)
{
	return pos <= RING_POSITION_MAX && !(pos & 7);
}

static void *handle_new(size_t size)
{
	void *h = aligned_alloc(RING_LINE, size);

	if (h)
		memset(h, 0, size);
	return h;
}

/* Where the notes of the previous producer end, if there was one. */
static uint64_t resume_notes(const struct ring_producer *p)
{
	uint64_t notes = (p->mask + 1) >> p->block_shift;
	uint64_t block = p->tail >> p->block_shift;
	uint64_t pos = ring_get(&p->tx->note[block & (notes - 1)]);

	if (pos >> p->block_shift == block && pos < p->tail)
		block++;
	return block << p->block_shift;
}

/* Overwrite: what the previous producer may have begun to overwrite is gone. */
static int resume_overwrite(struct ring_producer *p)
{
	uint64_t step = (uint64_t)1 << p->block_shift;
	uint64_t wbeg = ring_get(&p->tx->wbeg);

	if (!position_ok(wbeg) || wbeg - p->tail > ring_need(p->max) + 2 * step)
		return -EBADMSG;
	p->room = wbeg;
	p->block_end = resume_notes(p);
	return 0;
}

static int resume_refuse(struct ring_producer *p)
{
	p->head = ring_fetch_head(&p->rx->head);
	if (!position_ok(p->head) || p->tail - p->head > p->mask + 1)
		return -EBADMSG;
	p->room = p->head + p->mask + 1;
	return 0;
}

static int producer_resume(struct ring_producer *p)
{
	p->tail = ring_get(&p->tx->tail);
	p->open = UINT64_MAX;
	p->full = ring_counted(&p->tx->full);
	p->toobig = ring_counted(&p->tx->toobig);
	p->forged = ring_counted(&p->tx->forged);
	if (!position_ok(p->tail))
		return -EBADMSG;
	return p->overwrite ? resume_overwrite(p) : resume_refuse(p);
}

/* The new handle owns a reference to @m if all goes well, else nothing. */
static int producer_new(struct ring_producer **ret, struct ring_map *m)
{
	struct ring_producer *p = handle_new(sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->map = m;
	p->tx = map_tx(m);
	p->rx = map_rx(m);
	p->data = map_data(m);
	p->mask = m->id.size - 1;
	p->max = max_payload(m->id.size);
	p->overwrite = m->id.flags & RING_OVERWRITE;
	p->block_shift = block_shift(&m->id);
	r = producer_resume(p);
	if (r) {
		free(p);
		return r;
	}
	ring_publish_closed(&p->tx->closed, 0);
	*ret = p;
	return 0;
}

static int consumer_resume(struct ring_consumer *c)
{
	uint64_t tail = ring_fetch_tail(&c->tx->tail);
	uint64_t head = ring_get(&c->rx->head);

	if (!position_ok(head) || tail & 7 || tail - head > c->mask + 1)
		return -EBADMSG;
	ring_seek(c, head);
	return 0;
}

static int consumer_new(struct ring_consumer **ret, struct ring_map *m)
{
	struct ring_consumer *c;
	int r;

	if (m->id.flags & RING_OVERWRITE)
		return -EINVAL;
	c = handle_new(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->map = m;
	c->tx = map_tx(m);
	c->rx = map_rx(m);
	c->data = map_data(m);
	c->mask = m->id.size - 1;
	c->max = max_payload(m->id.size);
	r = consumer_resume(c);
	if (r) {
		free(c);
		return r;
	}
	ring_hold(c, m->id.size / 8);
	ring_watch(c, -1);
	ring_set_nap(c, RING_NAP_MIN_NS, RING_NAP_MAX_NS);
	*ret = c;
	return 0;
}

static int observer_new(struct ring_observer **ret, struct ring_map *m)
{
	struct ring_observer *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->map = m;
	o->tx = map_tx(m);
	o->rx = map_rx(m);
	o->data = map_data(m);
	o->mask = m->id.size - 1;
	o->max = max_payload(m->id.size);
	o->block_shift = block_shift(&m->id);
	o->overwrite = m->id.flags & RING_OVERWRITE;
	*ret = o;
	return 0;
}

/* Check and map @fd for a part that writes @pages pages from @first on. */
static int attach(struct ring_map **ret, int fd, unsigned int first,
		  unsigned int pages)
{
	struct ring_id id;
	int r = read_id(&id, fd);

	return r ? r : map_fd(ret, fd, &id, first, pages);
}

int ring_attach_producer(struct ring_producer **ret, int fd)
{
	struct ring_map *m = NULL;
	int r = attach(&m, fd, PAGE_TX, 0);

	if (r)
		return r;
	r = producer_new(ret, m);
	if (r)
		map_unref(m);
	return r;
}

int ring_attach_consumer(struct ring_consumer **ret, int fd)
{
	struct ring_map *m = NULL;
	int r = attach(&m, fd, PAGE_RX, 1);

	if (r)
		return r;
	r = consumer_new(ret, m);
	if (r)
		map_unref(m);
	return r;
}

int ring_attach_observer(struct ring_observer **ret, int fd)
{
	struct ring_map *m = NULL;
	int r = attach(&m, fd, 0, 0);

	if (r)
		return r;
	r = observer_new(ret, m);
	if (r)
		map_unref(m);
	return r;
}

void ring_producer_close(struct ring_producer *p)
{
	if (!p)
		return;
	ring_publish_closed(&p->tx->closed, 1);
	map_unref(p->map);
	free(p);
}

void ring_consumer_close(struct ring_consumer *c)
{
	if (!c)
		return;
	ring_release(c);
	map_unref(c->map);
	free(c);
}

void ring_observer_close(struct ring_observer *o)
{
	if (!o)
		return;
	map_unref(o->map);
	free(o);
}

static int local_map(struct ring_map **ret, size_t size, unsigned int flags)
{
	struct ring_id id = make_id(size, flags);

	if (!size_ok(size) || flags & ~(RING_OVERWRITE | RING_PREFAULT))
		return -EINVAL;
	return map_anonymous(ret, &id, flags);
}

int ring_new_pair(struct ring_producer **ret_p, struct ring_consumer **ret_c,
		  size_t size, unsigned int flags)
{
	struct ring_producer *p = NULL;
	struct ring_map *m = NULL;
	int r = local_map(&m, size, flags);

	if (r)
		return r;
	r = producer_new(&p, m);
	if (!r)
		r = consumer_new(ret_c, m); /* -EINVAL for RING_OVERWRITE */
	if (r) {
		free(p);
		map_unref(m);
		return r;
	}
	m->refs = 2;
	*ret_p = p;
	return 0;
}

int ring_new_window(struct ring_producer **ret_p, struct ring_observer **ret_o,
		    size_t size, unsigned int flags)
{
	struct ring_producer *p = NULL;
	struct ring_map *m = NULL;
	int r = local_map(&m, size, flags | RING_OVERWRITE);

	if (r)
		return r;
	r = producer_new(&p, m);
	if (!r)
		r = observer_new(ret_o, m);
	if (r) {
		free(p);
		map_unref(m);
		return r;
	}
	m->refs = 2;
	*ret_p = p;
	return 0;
}
