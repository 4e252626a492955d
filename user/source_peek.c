// SPDX-License-Identifier: BSD-2-Clause
/*
 * source_peek.c - the kernel's bpf_rdonly_cast(), for bpf/peek.bpf.h.
 *
 * A program calls a helper that there is not; what the kernel is given calls
 * the function, by its id in the kernel's BTF. Where the kernel has none that
 * is dead code, which the verifier drops.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source_internal.h"

static bool is_cast(const struct bpf_insn *i)
{
	return i->code == (BPF_JMP | BPF_CALL) && !i->src_reg &&
	       i->imm == WEIR_RDONLY_CAST;
}

static void make_call(struct bpf_insn *i, uint32_t function)
{
	i->src_reg = BPF_PSEUDO_KFUNC_CALL;
	i->imm = (int32_t)function;
}

bool source_peek_works(uint32_t function, uint32_t type)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
		 .dst_reg = BPF_REG_2,
		 .imm = (int32_t)type},
		{.code = BPF_JMP | BPF_CALL},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .src_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_AND | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd;

	make_call(&insns[2], function);
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "weir_peek", "GPL", insns,
			   sizeof(insns) / sizeof(*insns), NULL);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int source_peek_fill(struct bpf_program *prog, uint32_t function)
{
	const struct bpf_insn *old = bpf_program__insns(prog);
	size_t n = bpf_program__insn_cnt(prog), i;
	struct bpf_insn *now;
	int err;

	if (!function)
		return 0;
	now = malloc(n * sizeof(*now));
	if (!now)
		return -ENOMEM;
	memcpy(now, old, n * sizeof(*now));
	for (i = 0; i < n; i++)
		if (is_cast(&now[i]))
			make_call(&now[i], function);
	err = bpf_program__set_insns(prog, now, n);
	free(now);
	return err;
}
