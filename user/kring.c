// SPDX-License-Identifier: BSD-2-Clause
#include "kring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct kring_place kring_of_map(int fd, uint64_t bytes)
{
	return (struct kring_place){
		.fd = fd,
		.bytes = bytes,
		.slack = bytes < KRING_RECORD_MAX ? bytes : KRING_RECORD_MAX,
	};
}

struct kring_place kring_of_cpu(int fd, uint64_t bytes, unsigned cpu)
{
	return (struct kring_place){
		.fd = fd,
		.bytes = bytes,
		.offset = cpu * (bytes + KRING_CPU_EXTRA),
		.slack = KRING_CPU_EXTRA / 3,
		.of_cpu = true,
	};
}

int kring_open(struct kring *k, const struct kring_place *at)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	void *head, *tail;

	head = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, at->fd,
		    (off_t)at->offset);
	if (head == MAP_FAILED)
		return -errno;
	k->mapped = page + at->bytes + at->slack;
	tail = mmap(NULL, k->mapped, PROT_READ, MAP_SHARED, at->fd,
		    (off_t)(at->offset + page));
	if (tail == MAP_FAILED) {
		int err = errno;

		munmap(head, page);
		return -err;
	}
	k->head = head;
	k->tail = tail;
	k->data = (const uint8_t *)tail + page;
	k->bytes = at->bytes;
	return 0;
}

void kring_done(struct kring *k)
{
	if (!k->head)
		return;
	munmap(k->head, (size_t)sysconf(_SC_PAGESIZE));
	munmap((void *)k->tail, k->mapped);
	memset(k, 0, sizeof(*k));
}
