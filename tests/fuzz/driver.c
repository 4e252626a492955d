// SPDX-License-Identifier: BSD-2-Clause
/*
 * driver.c - run a libFuzzer target over files, without libFuzzer: what
 * `make test` replays the corpus with. A target fails by crashing.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a block of its own, so that ASan sees what reads past it. */
static int run_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0;
	int err = -ENOMEM;

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -ENOENT;
	}
	data = malloc(INPUT_MAX);
	if (data) {
		size = fread(data, 1, INPUT_MAX, in);
		err = ferror(in) ? -EIO : 0;
	}
	fclose(in);
	if (!err && size) {
		uint8_t *exact = realloc(data, size);

		data = exact ? exact : data;
	}
	if (!err)
		LLVMFuzzerTestOneInput(data, size);
	free(data);
	return err;
}

int main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		failed |= run_file(argv[i]) != 0;
	printf("%d inputs\n", argc - 1);
	return failed || argc < 2;
}
