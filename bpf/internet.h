/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Addresses and protocols as rules compare them, for every program that has them. */
#ifndef INTERNET_H
#define INTERNET_H

#include <bpf/bpf_endian.h>
#include "event-texts.h"

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define LOOPBACK bpf_htonl(0x7f000001)
#define MAPPED bpf_htonl(0xffff)

/* The connections that Multipath TCP makes are TCP. */
static __always_inline void set_protocol(struct event *event, __u32 protocol)
{
	set_number(event, NUMBER_PROTOCOL, protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol);
}

/*
 * Addresses are in network order. To the unspecified one the kernel connects to the loopback one (net/ipv4/route.c,
 * net/ipv6/tcp_ipv6.c). As a source it means all of them, and stays what it is.
 */
static __always_inline void set_ipv4(struct event *event, __u32 facet, __u32 address)
{
	__u32 words[4] = { 0, 0, MAPPED, facet == ADDRESS_DESTINATION && address == 0 ? LOOPBACK : address };

	set_address(event, facet, words);
}

/* `words`: changed. */
static __always_inline void set_ipv6(struct event *event, __u32 facet, __u32 words[4])
{
	if (facet == ADDRESS_DESTINATION && (words[0] | words[1]) == 0 && words[3] == 0) {
		if (words[2] == 0)
			words[3] = bpf_htonl(1);
		else if (words[2] == MAPPED)
			words[3] = LOOPBACK;
	}
	set_address(event, facet, words);
}

#endif
