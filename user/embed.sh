#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# embed.sh OBJECT… - assembler source that holds the bytes of BPF objects and
# the table weir_embedded[] of them (user/source.h), named after their files.

set -eu
echo '.section .rodata'
n=0
for obj; do
	name=$(basename "$obj" .bpf.o)
	printf '.balign 8\n.Lobj%d: .incbin "%s"\n.Lend%d:\n' $n "$obj" $n
	printf '.Lname%d: .asciz "%s"\n' $n "$name"
	n=$((n + 1))
done
echo '.section .data.rel.ro,"aw"'
printf '.balign 8\n.globl weir_embedded\nweir_embedded:\n'
i=0
while [ $i -lt $n ]; do
	printf '.quad .Lname%d, .Lobj%d, .Lend%d - .Lobj%d\n' $i $i $i $i
	i=$((i + 1))
done
echo '.quad 0, 0, 0'
echo '.section .note.GNU-stack,"",@progbits'
