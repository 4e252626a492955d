// SPDX-License-Identifier: BSD-2-Clause
/* args_test.c - the arguments of system calls. */
#include "render_fixture.h"

/* ---- system calls -------------------------------------------------------- */

#define NR_OPEN	    2
#define NR_MMAP	    9
#define NR_CLONE    56
#define NR_KILL	    62
#define NR_RENAME   82
#define NR_SETXATTR 188
#define NR_OPENAT   257
#define NR_UNSHARE  272

static const struct {
	uint32_t nr, compat;
	uint64_t args[6];
	const char *path, *path2;
	const char *text, *json;
} calls[] = {
	{NR_OPENAT,
	 0,
	 {(uint32_t)-100, 0x7000, 0, 0xdead},
	 "/etc/passwd",
	 NULL,
	 "AT_FDCWD, \"/etc/passwd\", O_RDONLY",
	 "[-100,\"0x7000\",\"O_RDONLY\"]"},
	{NR_OPENAT,
	 0,
	 {3, 0x7000, 02001101, 0644},
	 "a\"b\n",
	 NULL,
	 "3, \"a\\\"b\\x0a\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644",
	 "[3,\"0x7000\",\"O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC\",420]"},
	{NR_OPEN,
	 0,
	 {0x7000, 04010002 | 1U << 31},
	 "f",
	 NULL,
	 "\"f\", O_RDWR|O_SYNC|0x80000000",
	 "[\"0x7000\","},
	{NR_OPEN,
	 0,
	 {0, 020200001, 0600},
	 NULL,
	 NULL,
	 "NULL, O_WRONLY|O_TMPFILE, 0600",
	 "[\"0x0\","},
	{NR_RENAME,
	 0,
	 {1, 2},
	 "from",
	 "to",
	 "\"from\", \"to\"",
	 "[\"0x1\",\"0x2\"]"},
	/* through io_uring: the kernel's copies, no addresses */
	{NR_RENAME,
	 0,
	 {0, 0},
	 "from",
	 "to",
	 "\"from\", \"to\"",
	 "[\"0x0\",\"0x0\"]"},
	/* a string that is no path is not kept */
	{NR_SETXATTR,
	 0,
	 {1, 2, 3, 4, 5},
	 "/f",
	 NULL,
	 "\"/f\", 0x2, 0x3, 4, 0x5",
	 "[\"0x1\",\"0x2\","},
	{NR_KILL, 0, {(uint32_t)-1, 9}, NULL, NULL, "-1, SIGKILL", "[-1,9]"},
	{NR_CLONE,
	 0,
	 {0x4111},
	 NULL,
	 NULL,
	 "CLONE_VM|CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, NULL",
	 "[\"CLONE_VM|CLONE_VFORK|SIGCHLD\","},
	{NR_UNSHARE,
	 0,
	 {0x20000080},
	 NULL,
	 NULL,
	 "CLONE_NEWTIME|CLONE_NEWPID",
	 "[\"CLONE_NEWTIME|CLONE_NEWPID\"]"},
	{NR_MMAP,
	 0,
	 {0, 4096, 3, 0x22, UINT32_MAX, 0},
	 NULL,
	 NULL,
	 "NULL, 4096, 0x3, 0x22, -1, 0",
	 "[\"0x0\",4096,\"0x3\",\"0x22\",-1,0]"},
	/* numbers of no call, of none that ever was */
	{999,
	 0,
	 {1, 2, 3, 4, 5, 6},
	 NULL,
	 NULL,
	 "0x1, 0x2, 0x3, 0x4, 0x5, 0x6",
	 "[\"0x1\",\"0x2\",\"0x3\",\"0x4\",\"0x5\",\"0x6\"]"},
	/* 32-bit calls: those that take a path take the same arguments */
	{NR_MMAP,
	 1,
	 {1, 2, 3, 4, 5, 6},
	 NULL,
	 NULL,
	 "0x1, 0x2, 0x3, 0x4, 0x5, 0x6",
	 "[\"0x1\","},
	{NR_OPEN,
	 1,
	 {0x7000, 0, 0xdead},
	 "/f",
	 NULL,
	 "\"/f\", O_RDONLY",
	 "[\"0x7000\",\"O_RDONLY\"]"},
	{UINT32_MAX,
	 0,
	 {0},
	 NULL,
	 NULL,
	 "0x0, 0x0, 0x0, 0x0, 0x0, 0x0",
	 "[\"0x0\","},
};

static void arguments_of_calls(void **state)
{
	struct fixture x;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		fixture_start(&x, "");
		record_begin(&x.record, x.schema, "model_call");
		record_set(&x.record, "name", calls[i].nr);
		record_set(&x.record, "compat", calls[i].compat);
		for (j = 0; j < 6; j++)
			record_put(&x.record, "args", (unsigned)j,
				   calls[i].args[j]);
		if (calls[i].path)
			record_text(&x.record, "path", calls[i].path);
		if (calls[i].path2)
			record_text(&x.record, "path2", calls[i].path2);
		text_is(&x, "args", calls[i].text);
		json_has(&x, calls[i].json);
		fixture_done(&x);
	}
}

static void unreadable_and_cut_paths(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "");
	record_begin(&x.record, x.schema, "model_call");
	record_set(&x.record, "name", NR_RENAME);
	record_put(&x.record, "args", 0, 0x7fff1000);
	record_put(&x.record, "args", 1, 0x7fff2000);
	record_str(&x.record, "path", "", 0, WEIR_STR_UNKNOWN);
	record_str(&x.record, "path2", "long", 4, 5000);
	text_is(&x, "args", "0x7fff1000, \"long\"...(4 of 5000)");
	fixture_done(&x);
}

static void csv_of_a_call_is_one_cell(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "");
	record_begin(&x.record, x.schema, "model_call");
	record_set(&x.record, "name", NR_KILL);
	record_put(&x.record, "args", 0, (uint32_t)-1);
	record_put(&x.record, "args", 1, 9);
	csv_has(&x, ",\"'-1, SIGKILL\",");
	fixture_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_of_calls),
		cmocka_unit_test(unreadable_and_cut_paths),
		cmocka_unit_test(csv_of_a_call_is_one_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
