// SPDX-License-Identifier: GPL-2.0-only
/*
 * hello.bpf.c - a source of one's own: the lines of the kernel log.
 *
 * Nothing else is needed: the struct below is what text, JSON, CSV, filters,
 * listings and archives are made from. README.md says how it is built.
 */
#include "weir.bpf.h"

#define TEXT_MAX 128

struct ev_hello_log {
	struct weir_hdr h; /* pid, tid: whoever happened to print it */
	weir_bytes_t length WEIR_DOC("how long the line is");
	char text[TEXT_MAX] WEIR_DOC("its first 127 bytes");
} WEIR_TEXT("{text}") WEIR_DOC("a line of the kernel log");

WEIR_SOURCE(hello, "the kernel log");
WEIR_EVENT(hello_log, EV_PRIVATE);

char LICENSE[] SEC("license") = "GPL";

/* TP_PROTO(const char *text, size_t len), include/trace/events/printk.h */
SEC("tp_btf/console")
int BPF_PROG(hello__log, const char *text, unsigned long len)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u32 n = len < TEXT_MAX ? len : TEXT_MAX - 1;
	struct ev_hello_log *ev;

	if (!weir_admit(pid))
		return 1;
	ev = weir_reserve(hello_log, EV_PRIVATE);
	if (!ev)
		return 1;
	ev->length = len;
	__builtin_memset(ev->text, 0, TEXT_MAX);
	if (weir_strings)
		bpf_probe_read_kernel(ev->text, n & (TEXT_MAX - 1), text);
	return weir_submit(ev);
}
