// SPDX-License-Identifier: BSD-2-Clause
/*
 * bare OBJECT [tp] - attach the programs of bare.bpf.o, the <what>_tp ones
 * when told so, and stay until stdin ends. Says "ready" when they are.
 */
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_tp(const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);

	return !strcmp(name + strlen(name) - 3, "_tp");
}

static bool attach(struct bpf_object *obj, bool tp)
{
	struct bpf_program *p;

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

int main(int argc, char **argv)
{
	struct bpf_object *obj = argc > 1 ? bpf_object__open(argv[1]) : NULL;

	if (!obj || !attach(obj, argc > 2)) {
		perror("bare");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0; /* the links go with their descriptors */
}
