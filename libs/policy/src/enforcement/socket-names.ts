// SPDX-License-Identifier: Apache-2.0
// Names of numbers of sockets: linux/in.h, linux/socket.h, net/tcp_states.h.

const toMap = (prefix: string, table: string): ReadonlyMap<string, number> =>
  new Map(
    table.split(" ").map((entry) => {
      const [name = "", number = ""] = entry.split(":");
      return [`${prefix}${name}`, Number(number)] as const; // const: an entry
    }),
  );

export const protocols = toMap(
  "IPPROTO_",
  "IP:0 ICMP:1 IGMP:2 IPIP:4 TCP:6 EGP:8 PUP:12 UDP:17 IDP:22 TP:29 DCCP:33 IPV6:41 ROUTING:43 FRAGMENT:44 RSVP:46 " +
    "GRE:47 ESP:50 AH:51 ICMPV6:58 NONE:59 DSTOPTS:60 MTP:92 BEETPH:94 ENCAP:98 PIM:103 COMP:108 L2TP:115 SCTP:132 MH:135 " +
    "UDPLITE:136 MPLS:137 ETHERNET:143 RAW:255 MPTCP:262",
);

export const families = toMap(
  "AF_",
  "UNSPEC:0 UNIX:1 LOCAL:1 INET:2 AX25:3 IPX:4 APPLETALK:5 NETROM:6 BRIDGE:7 ATMPVC:8 X25:9 INET6:10 ROSE:11 DECNET:12 " +
    "NETBEUI:13 SECURITY:14 KEY:15 NETLINK:16 PACKET:17 ASH:18 ECONET:19 ATMSVC:20 RDS:21 SNA:22 IRDA:23 PPPOX:24 WANPIPE:25 " +
    "LLC:26 IB:27 MPLS:28 CAN:29 TIPC:30 BLUETOOTH:31 IUCV:32 RXRPC:33 ISDN:34 PHONET:35 IEEE802154:36 CAIF:37 ALG:38 NFC:39 " +
    "VSOCK:40 KCM:41 QIPCRTR:42 SMC:43 XDP:44",
);

export const states = toMap(
  "TCP_",
  "ESTABLISHED:1 SYN_SENT:2 SYN_RECV:3 FIN_WAIT1:4 FIN_WAIT2:5 TIME_WAIT:6 CLOSE:7 CLOSE_WAIT:8 LAST_ACK:9 LISTEN:10 " +
    "CLOSING:11 NEW_SYN_RECV:12",
);
