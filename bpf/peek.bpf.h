/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peek.bpf.h - a word of kernel memory, for what a load costs.
 *
 * bpf_probe_read_kernel() takes 12 to 50 ns, and from a file to its name it is
 * many words. A load takes one or two, but the verifier allows it only through
 * a pointer to one of the kernel's types. From Linux 6.2 on the kernel's
 * function bpf_rdonly_cast() makes a number such a pointer; the verifier turns
 * its call into a move (kernel/bpf/verifier.c, fixup_kfunc_call()). Where
 * nothing is mapped the load gives 0, as the helper does.
 */
#ifndef WEIR_PEEK_BPF_H
#define WEIR_PEEK_BPF_H

#include "weir.bpf.h"

/*
 * Set by user/source_load.c: the kernel's id of a struct that begins with a
 * number of 64 bits; 0: there is no bpf_rdonly_cast().
 */
const volatile __u32 weir_word_type;

/*
 * No helper has this number: just before it is loaded user/source_peek.c makes
 * it a call of the kernel's function. As an extern, left to libbpf, it would
 * keep Linux 5.13 to 5.15 from loading what never comes to call it.
 */
static void *(*const weir_rdonly_cast)(const void *at,
				       __u32 type) = (void *)WEIR_RDONLY_CAST;

/*
 * weir_word_at - 8 bytes of kernel memory, wherever they are
 * @type: weir_word_type, or 0: by helper. Who reads many asks once which it is:
 *        to look at a constant of the program is a load itself.
 *
 * Return: 0 where nothing is mapped (the kernel's handler of the fault of a BPF
 * load, and the helper, both clear what was asked for).
 */
static __always_inline __u64 weir_word_at(const void *at, const __u32 type)
{
	__u64 word;

	if (type)
		return *(const volatile __u64 *)weir_rdonly_cast(at, type);
	bpf_probe_read_kernel(&word, sizeof(word), at);
	return word;
}

/* A field of at most 8 bytes, of what need not be there. */
#define weir_peek(p, field, type)                                              \
	((typeof((p)->field))weir_word_at(&(p)->field, type))

#endif
