// SPDX-License-Identifier: BSD-2-Clause
#include "kring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int kring_open(struct kring *k, int fd, uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), extra;
	void *head, *tail;

	extra = bytes < KRING_RECORD_MAX ? bytes : KRING_RECORD_MAX;
	head = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED)
		return -errno;
	k->mapped = page + bytes + extra;
	tail = mmap(NULL, k->mapped, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (tail == MAP_FAILED) {
		int err = errno;

		munmap(head, page);
		return -err;
	}
	k->head = head;
	k->tail = tail;
	k->data = (const uint8_t *)tail + page;
	k->bytes = bytes;
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
