#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# embed.sh OBJECT… - assembler source that holds the bytes of BPF objects and
# the table weir_embedded[] of them (user/source.h), named after their files.
# DIR/plain/NAME.bpf.o is no object of its own but the twin of DIR/NAME.bpf.o.

set -eu

bytes() { # LABEL FILE
	printf '.balign 8\n.L%s: .incbin "%s"\n.Lend_%s:\n' "$1" "$2" "$1"
}
entry() { # LABEL
	printf ', .L%s, .Lend_%s - .L%s' "$1" "$1" "$1"
}

all=" $* "
echo '.section .rodata'
n=0 table=
for obj; do
	name=$(basename "$obj" .bpf.o)
	twin=$(dirname "$obj")/plain/$name.bpf.o
	case $obj in */plain/*) continue ;; esac
	printf '.Lname%d: .asciz "%s"\n' $n "$name"
	bytes "obj$n" "$obj"
	table="$table.quad .Lname$n$(entry "obj$n")"
	case $all in
	*" $twin "*)
		bytes "twin$n" "$twin"
		table="$table$(entry "twin$n")\\n"
		;;
	*) table="$table, 0, 0\\n" ;;
	esac
	n=$((n + 1))
done
echo '.section .data.rel.ro,"aw"'
printf '.balign 8\n.globl weir_embedded\nweir_embedded:\n'
printf %b "$table"
echo '.quad 0, 0, 0, 0, 0'
echo '.section .note.GNU-stack,"",@progbits'
