/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow.bpf.h - the addresses of a socket, or of a packet.
 *
 * IPv4 addresses are kept as ::ffff:a.b.c.d, and the family of a flow is that
 * of its addresses: an IPv6 socket that carries IPv4 is told as IPv4. Reads go
 * by helper: the same pointers come from typed hooks and from trace records.
 */
#ifndef WEIR_FLOW_BPF_H
#define WEIR_FLOW_BPF_H

#include "weir.bpf.h"
#include <bpf/bpf_endian.h>

#define ETH_P_IP   0x0800 /* include/uapi/linux/if_ether.h */
#define ETH_P_IPV6 0x86dd

#define IPPROTO_TCP	6 /* include/uapi/linux/in.h */
#define IPPROTO_UDP	17
#define IPPROTO_DCCP	33
#define IPPROTO_SCTP	132
#define IPPROTO_UDPLITE 136

#define IP_OFFSET  0x1fff		 /* fragment offset, include/net/ip.h */
#define IP4_MAPPED bpf_htonl(0x0000ffff) /* third word: RFC 4291, 2.5.5.2 */

struct ip_words {
	__u32 w[4]; /* network byte order */
};

/* Two ends; of a packet local is where it goes to. */
struct flow {
	struct ip_words laddr, raddr;
	__u16 lport, rport; /* host byte order; 0: none */
	__u32 family;	    /* enum weir_family, 0: none */
	__u32 netns;	    /* inode number; 0: unknown */
	__u32 protocol;	    /* of a packet */
	__u64 bytes;	    /* of a packet, IP header included */
} __attribute__((aligned(8)));

/* Fill the fields that all events of a flow have; netns is not among them. */
#define flow_put(ev, f)                                                        \
	do {                                                                   \
		(ev)->family = (f)->family;                                    \
		(ev)->lport = (f)->lport;                                      \
		(ev)->rport = (f)->rport;                                      \
		__builtin_memcpy((ev)->laddr, &(f)->laddr, 16);                \
		__builtin_memcpy((ev)->raddr, &(f)->raddr, 16);                \
	} while (0)

/* @addr: IPv4, network byte order. */
static __always_inline void ip_set4(struct ip_words *to, __u32 addr)
{
	to->w[0] = 0;
	to->w[1] = 0;
	to->w[2] = IP4_MAPPED;
	to->w[3] = addr;
}

/* Is it an IPv4 address, mapped? */
static __always_inline bool ip_is4(const struct ip_words *a)
{
	return !a->w[0] && !a->w[1] && a->w[2] == IP4_MAPPED;
}

/* ---- of a socket --------------------------------------------------------- */

/*
 * sock_flow - the addresses of a socket; of a time-wait or request socket too
 *
 * A socket that is being closed has given its port number back (skc_num), but
 * still says in inet_sport which it was. @sk may be of any family: where it is
 * neither IPv4 nor IPv6 only f->family says so. protocol and bytes are not set.
 * Return: 0.
 */
static __noinline int sock_flow(struct flow *f, const struct sock *sk)
{
	const struct inet_sock *inet = (const void *)sk;

	f->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	f->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (!f->lport)
		f->lport = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	f->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	f->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (f->family == WEIR_FAMILY_INET) {
		ip_set4(&f->laddr,
			BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		ip_set4(&f->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return 0;
	}
	bpf_core_read(&f->laddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	bpf_core_read(&f->raddr, 16, &sk->__sk_common.skc_v6_daddr);
	if (ip_is4(&f->raddr) || ip_is4(&f->laddr))
		f->family = WEIR_FAMILY_INET;
	return 0;
}

/* ---- of a packet --------------------------------------------------------- */

/* RFC 791, 3.1. */
struct ip4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag_off;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__be32 saddr, daddr;
};

/* RFC 8200, 3. */
struct ip6_header {
	__be32 version_flow;
	__be16 payload_len;
	__u8 nexthdr;
	__u8 hop_limit;
	struct ip_words saddr, daddr;
};

/* What a header of these protocols begins with: has_ports(). */
struct ports {
	__be16 source, dest;
};

static __always_inline bool has_ports(__u32 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

/*
 * An IPv4 header at @at, which need not be aligned or there
 * @ret_first: false: a later fragment, in which there are no ports
 *
 * Return: length of the header, bytes; 0: this is none.
 */
static __always_inline __u32 packet4(struct flow *f, const void *at,
				     bool *ret_first)
{
	struct ip4_header ip = {};

	bpf_probe_read_kernel(&ip, sizeof(ip), at);
	if (ip.version_ihl >> 4 != 4)
		return 0;
	f->family = WEIR_FAMILY_INET;
	f->protocol = ip.protocol;
	f->bytes = bpf_ntohs(ip.tot_len);
	ip_set4(&f->laddr, ip.daddr);
	ip_set4(&f->raddr, ip.saddr);
	*ret_first = !(ip.frag_off & bpf_htons(IP_OFFSET));
	return (ip.version_ihl & 0xf) * 4;
}

/* The same, without what headers follow it. A jumbogram has no length (0). */
static __always_inline __u32 packet6(struct flow *f, const void *at)
{
	struct ip6_header ip = {};

	bpf_probe_read_kernel(&ip, sizeof(ip), at);
	if (bpf_ntohl(ip.version_flow) >> 28 != 6)
		return 0;
	f->family = WEIR_FAMILY_INET6;
	f->protocol = ip.nexthdr;
	f->bytes = ip.payload_len ? bpf_ntohs(ip.payload_len) + sizeof(ip) : 0;
	f->laddr = ip.daddr;
	f->raddr = ip.saddr;
	return sizeof(ip);
}

/*
 * skb_flow - where a packet goes to (local) and comes from (remote)
 *
 * Ports where the protocol has them, the first fragment is at hand, and no
 * IPv6 extension header stands before. family is 0 for what is no IP packet,
 * among that a segment that never got its headers. netns is that of its device,
 * 0 where it has none. Return: 0.
 */
static __noinline int skb_flow(struct flow *f, const struct sk_buff *skb)
{
	__u16 type = BPF_CORE_READ(skb, protocol);
	__u16 offset = BPF_CORE_READ(skb, network_header);
	const void *at = BPF_CORE_READ(skb, head) + offset;
	struct ports ports = {};
	bool first = true;
	__u32 len = 0;

	__builtin_memset(f, 0, sizeof(*f));
	if (!offset || offset == 0xffff)
		return 0;
	if (type == bpf_htons(ETH_P_IP))
		len = packet4(f, at, &first);
	else if (type == bpf_htons(ETH_P_IPV6))
		len = packet6(f, at);
	if (!len)
		return 0;
	if (!f->bytes)
		f->bytes = BPF_CORE_READ(skb, len);
	if (first && has_ports(f->protocol))
		bpf_probe_read_kernel(&ports, sizeof(ports), at + len);
	f->lport = bpf_ntohs(ports.dest);
	f->rport = bpf_ntohs(ports.source);
	f->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	return 0;
}

#endif
