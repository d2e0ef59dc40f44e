// SPDX-License-Identifier: Apache-2.0
// Names of socket constants (include/linux/socket.h, include/uapi/linux/in.h, include/net/tcp_states.h). What has no name
// here is its number.

const families: ReadonlyMap<number, string> = new Map([
  [0, "AF_UNSPEC"],
  [1, "AF_UNIX"],
  [2, "AF_INET"],
  [10, "AF_INET6"],
  [16, "AF_NETLINK"],
  [17, "AF_PACKET"],
  [38, "AF_ALG"],
  [40, "AF_VSOCK"],
]);

const types: ReadonlyMap<number, string> = new Map([
  [1, "SOCK_STREAM"],
  [2, "SOCK_DGRAM"],
  [3, "SOCK_RAW"],
  [4, "SOCK_RDM"],
  [5, "SOCK_SEQPACKET"],
  [6, "SOCK_DCCP"],
  [10, "SOCK_PACKET"],
]);

const protocols: ReadonlyMap<number, string> = new Map([
  [0, "IPPROTO_IP"],
  [1, "IPPROTO_ICMP"],
  [2, "IPPROTO_IGMP"],
  [6, "IPPROTO_TCP"],
  [17, "IPPROTO_UDP"],
  [33, "IPPROTO_DCCP"],
  [41, "IPPROTO_IPV6"],
  [47, "IPPROTO_GRE"],
  [50, "IPPROTO_ESP"],
  [51, "IPPROTO_AH"],
  [58, "IPPROTO_ICMPV6"],
  [132, "IPPROTO_SCTP"],
  [136, "IPPROTO_UDPLITE"],
  [255, "IPPROTO_RAW"],
  [262, "IPPROTO_MPTCP"],
]);

const states: ReadonlyMap<number, string> = new Map([
  [1, "TCP_ESTABLISHED"],
  [2, "TCP_SYN_SENT"],
  [3, "TCP_SYN_RECV"],
  [4, "TCP_FIN_WAIT1"],
  [5, "TCP_FIN_WAIT2"],
  [6, "TCP_TIME_WAIT"],
  [7, "TCP_CLOSE"],
  [8, "TCP_CLOSE_WAIT"],
  [9, "TCP_LAST_ACK"],
  [10, "TCP_LISTEN"],
  [11, "TCP_CLOSING"],
  [12, "TCP_NEW_SYN_RECV"],
]);

const tables = { family: families, socketType: types, protocol: protocols, socketState: states };

/** Empty for what is not known. */
export function nameSocketNumber(facet: keyof typeof tables, value: bigint | undefined): string {
  if (value === undefined) return "";
  const number = Number(value);
  return tables[facet].get(number) ?? String(number);
}
