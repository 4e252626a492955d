// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.bpf.c - TCP connections from beginning to end, resets, retransmissions,
 * and the IP packets that the kernel dropped.
 *
 * Most of it happens in interrupts, where the current task is whoever was
 * interrupted. So the task in a header is never the current one there, but the
 * one known to own the socket: it connected, listens, or was the last to shut
 * the socket down; 0 where none is known. What is known of a socket is kept
 * from its first change of state that has to do with a task to its last.
 *
 * A listener is found by address and port. Where several sockets listen on the
 * same (SO_REUSEPORT), or processes share one (prefork, socket activation), an
 * accepted connection is that of the task that listened last until the task
 * that really had it closes it.
 *
 * The kernel skips a program that is entered again on the same CPU. So the
 * changes of state that tasks make and those that packets make are two
 * programs on one hook: an interrupt on top of a task finds the second one
 * free. (What it then counts as missed of the first one is nothing.)
 *
 * All of this happens to tasks too, which work off what came in while they had
 * the socket. So from 7.0 on, where they can be preempted there, all hooks are
 * plain tracepoints: of 3,000 connections by six tasks on two emulated CPUs
 * with 7.3 the others missed 8 %, these none.
 */
#define WEIR_RING_BYTES (4 << 20)
#define WEIR_VALUE	3

#include "flow.bpf.h"
#include "owner.bpf.h"
#include "weir.bpf.h"

WEIR_SOURCE(net, "TCP connections, resets, retransmissions; dropped packets");
WEIR_FILTERED(net_connect, EV_NET_CONNECT, 0)
WEIR_FILTERED(net_accept, EV_NET_ACCEPT, 0)
WEIR_FILTERED(net_close, EV_NET_CLOSE, 0)
WEIR_FILTERED(net_listen, EV_NET_LISTEN, 1)
WEIR_FILTERED(net_retransmit, EV_NET_RETRANSMIT, 0)
WEIR_FILTERED(net_reset, EV_NET_RESET, 0)
WEIR_FILTERED(net_drop, EV_NET_DROP, 0)

/* 5.17 added the reason, 6.11 the socket; 6.17 a retransmission's error */
const volatile __u32 args_kfree_skb;
const volatile __u32 args_tcp_retransmit_skb;

#define EADDRNOTAVAIL 99
#define ECANCELED     125
#define S_IFMT	      0170000 /* include/uapi/linux/stat.h */
#define S_IFSOCK      0140000

/* include/net/tcp_states.h */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
};

char LICENSE[] SEC("license") = "GPL";

/* ---- listeners ----------------------------------------------------------- */

static __always_inline int on_listen(const struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct listener l = {.sock = (__u64)sk, .pid = id >> 32, .tid = id};
	struct ev_net_listen image, *ev;
	struct flow f;

	sock_flow(&f, sk);
	listener_keep(&f, &l);
	if (!weir_admit(l.pid))
		return 1;
	ev = weir_draft(net_listen, EV_NET_LISTEN, &image, id);
	if (!ev)
		return 1;
	ev->family = f.family;
	ev->lport = f.lport;
	ev->protocol = IPPROTO_TCP;
	__builtin_memcpy(ev->laddr, &f.laddr, sizeof(f.laddr));
	ev->backlog = BPF_CORE_READ(sk, sk_max_ack_backlog);
	ev->netns = f.netns;
	return weir_commit(net_listen, EV_NET_LISTEN, ev);
}

static __always_inline int on_unlisten(const struct sock *sk)
{
	struct flow f;

	sock_flow(&f, sk);
	listener_drop(&f, sk);
	return 1;
}

/* ---- connections --------------------------------------------------------- */

static __always_inline int on_connecting(const struct sock *sk)
{
	struct end end = {.since = bpf_ktime_get_ns()};
	__u64 id = bpf_get_current_pid_tgid();

	end_set_owner(&end, id >> 32, id);
	end_keep(sk, &end);
	return 1;
}

/* Tell that a connection was made, or with @error why it was not. */
static __always_inline int put_connect(const struct sock *sk,
				       const struct end *end, __s32 error)
{
	struct ev_net_connect image, *ev;
	struct flow f;

	if (!end_admit(end))
		return 1;
	sock_flow(&f, sk);
	ev = weir_draft(net_connect, EV_NET_CONNECT, &image, end_who(end));
	if (!ev)
		return 1;
	ev->h.flags |= end->since ? 0 : WEIR_F_PARTIAL;
	flow_put(ev, &f);
	ev->duration = end->since ? ev->h.ts - end->since : 0;
	ev->error = error;
	ev->netns = f.netns;
	return weir_commit(net_connect, EV_NET_CONNECT, ev);
}

/* A socket that sent no SYN was made for a connection that came in. */
static __always_inline int put_accept(const struct flow *f,
				      const struct end *end,
				      const struct listener *l)
{
	const struct sock *sk = l ? (void *)l->sock : NULL;
	struct ev_net_accept image, *ev;

	if (!end_admit(end))
		return 1;
	ev = weir_draft(net_accept, EV_NET_ACCEPT, &image, end_who(end));
	if (!ev)
		return 1;
	flow_put(ev, f);
	ev->netns = f->netns;
	ev->backlog = sk ? BPF_CORE_READ(sk, sk_ack_backlog) : 0;
	return weir_commit(net_accept, EV_NET_ACCEPT, ev);
}

static __always_inline int on_accepted(const struct sock *sk)
{
	struct end end = {.since = bpf_ktime_get_ns(), .established = 1};
	struct listener *l;
	struct flow f;

	sock_flow(&f, sk);
	l = listener_of(&f);
	if (l)
		end_set_owner(&end, l->pid, l->tid);
	end_keep(sk, &end);
	return put_accept(&f, &end, l);
}

static __always_inline int on_established(const struct sock *sk, int old)
{
	struct end *known = end_of(sk), end = {};

	/* one that is established already is another's, now gone unseen */
	if (old == TCP_SYN_RECV && (!known || known->established))
		return on_accepted(sk);
	if (known)
		end = *known;
	put_connect(sk, &end, 0);
	end.since = bpf_ktime_get_ns();
	end.established = 1;
	if (known)
		*known = end;
	else
		end_keep(sk, &end);
	return 1;
}

/* Shut down by a task: that is who had it. */
static __always_inline int on_shutdown(const struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct end *known = end_of(sk), end = {};

	if (!(id >> 32))
		return 1;
	if (known) {
		end_set_owner(known, id >> 32, id);
		return 1;
	}
	end_set_owner(&end, id >> 32, id);
	end_keep(sk, &end);
	return 1;
}

/*
 * What was sent, to the byte. bytes_acked counts the SYN and the FIN too, and
 * bytes_sent what was sent again; either tells the truth where the other does
 * not. bytes_received has the other side's FIN in it once that has come.
 */
static __always_inline void set_amounts(struct ev_net_close *ev,
					const struct sock *sk)
{
	const struct tcp_sock *tp = (const void *)sk;
	__u64 acked = BPF_CORE_READ(tp, bytes_acked);
	__u64 once = BPF_CORE_READ(tp, bytes_sent) -
		     BPF_CORE_READ(tp, bytes_retrans);
	__u64 received = BPF_CORE_READ(tp, bytes_received);
	unsigned long flags = BPF_CORE_READ(sk, __sk_common.skc_flags);

	ev->sent = acked < once ? acked : once;
	if (received &&
	    flags & 1UL << bpf_core_enum_value(enum sock_flags, SOCK_DONE))
		received--;
	ev->received = received;
	ev->rtt = (BPF_CORE_READ(tp, srtt_us) >> 3) * 1000ULL;
	ev->retransmits = BPF_CORE_READ(tp, total_retrans);
}

static __always_inline int put_close(const struct sock *sk,
				     const struct end *end)
{
	bool whole = end->since && end->established;
	struct ev_net_close image, *ev;
	struct flow f;

	if (!end_admit(end))
		return 1;
	sock_flow(&f, sk);
	ev = weir_draft(net_close, EV_NET_CLOSE, &image, end_who(end));
	if (!ev)
		return 1;
	ev->h.flags |= whole ? 0 : WEIR_F_PARTIAL;
	flow_put(ev, &f);
	ev->duration = whole ? ev->h.ts - end->since : 0;
	set_amounts(ev, sk);
	ev->error = BPF_CORE_READ(sk, sk_err);
	ev->netns = f.netns;
	return weir_commit(net_close, EV_NET_CLOSE, ev);
}

/*
 * The socket does not say why it did not connect when no SYN was sent, because
 * there was no local port for it, and when it was closed before the answer.
 */
static __always_inline int on_failed(const struct sock *sk,
				     const struct end *end)
{
	const struct tcp_sock *tp = (const void *)sk;
	__s32 error = BPF_CORE_READ(sk, sk_err);

	if (!error)
		error = BPF_CORE_READ(tp, segs_out) ? ECANCELED : EADDRNOTAVAIL;
	return put_connect(sk, end, error);
}

static __always_inline int on_close(const struct sock *sk, int old)
{
	struct end end;

	end_get(&end, sk);
	end_drop(sk, &end);
	if (old == TCP_SYN_SENT)
		return on_failed(sk, &end);
	if (old == TCP_CLOSE || old == TCP_SYN_RECV)
		return 1;
	return put_close(sk, &end);
}

/* ---- changes of state ---------------------------------------------------- */

/* Those that a task makes, by connect(), listen(), shutdown() and close(). */
static __always_inline int on_task(const struct sock *sk, __u32 protocol,
				   int old, int new)
{
	if (protocol != IPPROTO_TCP)
		return 1;
	if (new == TCP_SYN_SENT)
		return on_connecting(sk);
	if (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK)
		return on_shutdown(sk);
	if (new == TCP_LISTEN)
		return on_listen(sk);
	if (old == TCP_LISTEN && new == TCP_CLOSE)
		return on_unlisten(sk);
	return 1;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(net__task, const struct sock *sk, int old, int new)
{
	return on_task(sk, sk->sk_protocol, old, new);
}

SEC("tp/sock/inet_sock_set_state")
int net__task_tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return on_task(ctx->skaddr, ctx->protocol, ctx->oldstate,
		       ctx->newstate);
}

/* Those that come with a packet or a timer, and the ends of all. */
static __always_inline int on_state(const struct sock *sk, __u32 protocol,
				    int old, int new)
{
	if (protocol != IPPROTO_TCP)
		return 1;
	if (new == TCP_ESTABLISHED)
		return on_established(sk, old);
	if (new == TCP_CLOSE && old != TCP_LISTEN)
		return on_close(sk, old);
	return 1;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(net__state, const struct sock *sk, int old, int new)
{
	return on_state(sk, sk->sk_protocol, old, new);
}

SEC("tp/sock/inet_sock_set_state")
int net__state_tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return on_state(ctx->skaddr, ctx->protocol, ctx->oldstate,
			ctx->newstate);
}

/* ---- retransmissions and resets ------------------------------------------ */

static __always_inline int put_retransmit(const struct sock *sk,
					  const struct flow *f,
					  const struct end *end)
{
	struct ev_net_retransmit image, *ev;

	if (!end_admit(end))
		return 1;
	ev = weir_draft(net_retransmit, EV_NET_RETRANSMIT, &image,
			end_who(end));
	if (!ev)
		return 1;
	flow_put(ev, f);
	ev->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	ev->netns = f->netns;
	return weir_commit(net_retransmit, EV_NET_RETRANSMIT, ev);
}

static __always_inline int on_retransmit(const struct sock *sk, int error)
{
	struct end end;
	struct flow f;

	if (error)
		return 1;
	sock_flow(&f, sk);
	end_get(&end, sk);
	return put_retransmit(sk, &f, &end);
}

WEIR_HOOK("tp_btf/tcp_retransmit_skb", "net_retransmit")
int net__retransmit(__u64 *ctx)
{
	const struct sock *sk = (const void *)ctx[0];

	if (args_tcp_retransmit_skb > 2)
		return on_retransmit(sk, ctx[2]);
	return on_retransmit(sk, 0);
}

WEIR_HOOK("tp/tcp/tcp_retransmit_skb", "net_retransmit")
int net__retransmit_tp(struct trace_event_raw_tcp_retransmit_skb *ctx)
{
	return on_retransmit(ctx->skaddr, ctx->err);
}

/* The answer to a SYN, before there is a socket: a request stands for it. */
static __always_inline int on_synack(const struct sock *request)
{
	struct end end = {};
	struct flow f;

	sock_flow(&f, request);
	end_of_listener(&end, &f);
	return put_retransmit(request, &f, &end);
}

WEIR_HOOK("tp_btf/tcp_retransmit_synack", "net_retransmit")
int net__synack(__u64 *ctx)
{
	return on_synack((const void *)ctx[1]);
}

WEIR_HOOK("tp/tcp/tcp_retransmit_synack", "net_retransmit")
int net__synack_tp(struct trace_event_raw_tcp_retransmit_synack *ctx)
{
	return on_synack(ctx->req);
}

static __always_inline int put_reset(const struct sock *sk, struct flow *f,
				     enum weir_direction direction)
{
	struct ev_net_reset image, *ev;
	struct end end;

	end_get_late(&end, sk);
	if (!end_admit(&end))
		return 1;
	ev = weir_draft(net_reset, EV_NET_RESET, &image, end_who(&end));
	if (!ev)
		return 1;
	flow_put(ev, f);
	ev->direction = direction;
	ev->netns = f->netns;
	return weir_commit(net_reset, EV_NET_RESET, ev);
}

/*
 * @skb is the segment that is answered so, none when a socket is aborted. Its
 * addresses say more than @sk's, which may be a listener, or NULL (from 6.10).
 */
static __always_inline int on_reset_sent(const struct sock *sk,
					 const struct sk_buff *skb)
{
	struct flow f = {}, of_sock = {};

	if (sk)
		sock_flow(&of_sock, sk);
	if (skb)
		skb_flow(&f, skb);
	if (!f.family)
		f = of_sock;
	else if (sk)
		f.netns = of_sock.netns;
	return put_reset(sk, &f, WEIR_DIRECTION_SENT);
}

WEIR_HOOK("tp_btf/tcp_send_reset", "net_reset")
int BPF_PROG(net__reset_sent, const struct sock *sk, const struct sk_buff *skb)
{
	return on_reset_sent(sk, skb);
}

WEIR_HOOK("tp/tcp/tcp_send_reset", "net_reset")
int net__reset_sent_tp(struct trace_event_raw_tcp_send_reset *ctx)
{
	return on_reset_sent(ctx->skaddr, ctx->skbaddr);
}

static __always_inline int on_reset_received(const struct sock *sk)
{
	struct flow f;

	sock_flow(&f, sk);
	return put_reset(sk, &f, WEIR_DIRECTION_RECEIVED);
}

WEIR_HOOK("tp_btf/tcp_receive_reset", "net_reset")
int BPF_PROG(net__reset_received, const struct sock *sk)
{
	return on_reset_received(sk);
}

WEIR_HOOK("tp/tcp/tcp_receive_reset", "net_reset")
int net__reset_received_tp(struct trace_event_raw_tcp_event_sk *ctx)
{
	return on_reset_received(ctx->skaddr);
}

/* ---- drops --------------------------------------------------------------- */

/*
 * A packet that had come to its socket, and lay there when it was closed (at
 * least the last one of each connection): nothing was dropped. Kernels before
 * 6.13 do not tell these from others, and record them.
 */
static __always_inline bool is_purge(__u32 reason)
{
	return bpf_core_enum_value_exists(enum skb_drop_reason,
					  SKB_DROP_REASON_QUEUE_PURGE) &&
	       reason == bpf_core_enum_value(enum skb_drop_reason,
					     SKB_DROP_REASON_QUEUE_PURGE);
}

/* Who sent it, had the connection, or listened for it. */
static __always_inline void drop_owner(struct end *end, const struct flow *f,
				       const struct sock *sk)
{
	end_get(end, sk);
	if (!end->pid && sk &&
	    BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		end_of_listener(end, f);
}

static __always_inline int on_drop(const struct sk_buff *skb, __u64 location,
				   __u32 reason, const struct sock *to)
{
	struct sock *from = BPF_CORE_READ(skb, sk);
	struct ev_net_drop image, *ev;
	struct end end;
	struct flow f;

	if (is_purge(reason))
		return 1;
	skb_flow(&f, skb);
	if (!f.family)
		return 1;
	drop_owner(&end, &f, from ? from : to);
	if (!end_admit(&end))
		return 1;
	ev = weir_draft(net_drop, EV_NET_DROP, &image, end_who(&end));
	if (!ev)
		return 1;
	flow_put(ev, &f);
	ev->reason = reason;
	ev->protocol = f.protocol;
	ev->location = location;
	ev->bytes = f.bytes;
	return weir_commit(net_drop, EV_NET_DROP, ev);
}

WEIR_HOOK("tp_btf/kfree_skb", "net_drop")
int net__drop(__u64 *ctx)
{
	const struct sk_buff *skb = (const void *)ctx[0];

	if (args_kfree_skb > 3)
		return on_drop(skb, ctx[1], ctx[2], (const void *)ctx[3]);
	if (args_kfree_skb > 2)
		return on_drop(skb, ctx[1], ctx[2], NULL);
	return on_drop(skb, ctx[1], 0, NULL);
}

WEIR_HOOK("tp/skb/kfree_skb", "net_drop")
int net__drop_tp(struct trace_event_raw_kfree_skb *ctx)
{
	return on_drop(ctx->skbaddr, (__u64)ctx->location, ctx->reason,
		       ctx->rx_sk);
}

/* ---- what was open ------------------------------------------------------- */

static __always_inline void keep_listener(const struct sock *sk, __u32 pid,
					  __u32 tid)
{
	struct listener l = {.sock = (__u64)sk, .pid = pid, .tid = tid};
	struct flow f;

	sock_flow(&f, sk);
	listener_find(&f, &l);
}

static __always_inline void keep_end(const struct sock *sk, __u32 pid,
				     __u32 tid, bool established)
{
	struct end end = {.established = established};
	__u64 key = (__u64)sk;

	end_set_owner(&end, pid, tid);
	bpf_map_update_elem(&ends, &key, &end, BPF_NOEXIST);
}

/*
 * Run once the hooks are attached: the owners of the TCP sockets that were
 * open before, by the files of every task. No events.
 */
SEC("iter/task_file")
int net__listening(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	const struct sock *sk;
	struct socket *socket;
	__u16 family;
	__u8 state;

	if (!t || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = file->private_data;
	sk = BPF_CORE_READ(socket, sk);
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != WEIR_FAMILY_INET && family != WEIR_FAMILY_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state == TCP_LISTEN)
		keep_listener(sk, t->tgid, t->pid);
	else if (state != TCP_CLOSE)
		keep_end(sk, t->tgid, t->pid, state != TCP_SYN_SENT);
	return 0;
}
