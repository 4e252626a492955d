// SPDX-License-Identifier: BSD-2-Clause
/*
 * bare OBJECT [tp|raw] [records] - attach the programs of bare.bpf.o, the
 * <what>_tp ones when told so, and stay until stdin ends. Says "ready" when
 * they are. Records are taken out every 5 ms, and nothing is done with them.
 */
#include <bpf/libbpf.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 5

static bool is_tp(const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);

	return !strcmp(name + strlen(name) - 3, "_tp");
}

static bool attach(struct bpf_object *obj, bool tp, bool records)
{
	struct bpf_map *rodata = bpf_object__find_map_by_name(obj, ".rodata");
	struct bpf_program *p;

	/* The one variable there is. */
	if (bpf_map__set_initial_value(rodata, &records, sizeof(records)))
		return false;
	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, is_tp(p) == tp);
	if (bpf_object__load(obj))
		return false;
	bpf_object__for_each_program(p, obj)
	{
		if (is_tp(p) == tp && !bpf_program__attach(p))
			return false;
	}
	return true;
}

static int take(void *ctx, void *data, size_t size)
{
	(void)ctx, (void)data, (void)size;
	return 0;
}

static bool drain_until_stdin_ends(const struct bpf_object *obj)
{
	int fd = bpf_object__find_map_fd_by_name(obj, "ring");
	struct ring_buffer *ring = ring_buffer__new(fd, take, NULL, NULL);
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	if (!ring)
		return false;
	while (!poll(&in, 1, TICK_MS))
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return true;
}

int main(int argc, char **argv)
{
	struct bpf_object *obj = argc > 1 ? bpf_object__open(argv[1]) : NULL;
	bool tp = argc > 2 && !strcmp(argv[2], "tp");

	if (!obj || !attach(obj, tp, argc > 3)) {
		perror("bare");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return !drain_until_stdin_ends(obj); /* links go with descriptors */
}
