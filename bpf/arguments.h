/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Facets of an event from the arguments of its hook. What a process has written to its memory may be anything. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "event.h"
#include "internet.h"
#include "path.h"

OFFSET(vm_area_struct__vm_file);
OFFSET(linux_binprm__file);
OFFSET(task_struct__files);
OFFSET(files_struct__fdt);
OFFSET(fdtable__fd);
OFFSET(fdtable__max_fds);
OFFSET(socket__sk);
OFFSET(sock__sk_type);
OFFSET(sock__sk_protocol);
OFFSET(sock_common__skc_family);
OFFSET(sock_common__skc_state);
OFFSET(sock_common__skc_num);
OFFSET(sock_common__skc_dport);
OFFSET(sock_common__skc_daddr);
OFFSET(sock_common__skc_rcv_saddr);
OFFSET(sock_common__skc_v6_daddr);
OFFSET(sock_common__skc_v6_rcv_saddr);
OFFSET(msghdr__msg_name);

/* libs/bpf/src/core/hook-constants.ts has the same numbers. */
enum reading {
	READ_NOTHING,
	/* `other`: 1 for a signed one. */
	READ_NUMBER,
	READ_USER_STRING,
	READ_KERNEL_STRING,
	/* In the memory that the address is in. */
	READ_ANY_STRING,
	/* Place and length of a text in the context: __data_loc. */
	READ_LOCATION,
	/* The text is in the context. */
	READ_ARRAY,
	/* Length: a value at `other` of `other_bytes`. */
	READ_BUFFER,
	READ_FD,
	READ_FILE,
	READ_PATH,
	/* Its mount is that of a struct path; `other` of an LSM hook: 1 + the number of that argument. */
	READ_DENTRY,
	READ_MOUNT,
	READ_MAPPING,
	READ_BINPRM,
	/* `other`: SOCKET_… */
	READ_SOCK,
	READ_SOCKET,
	/* `other`: SOCKADDR_… */
	READ_SOCKADDR,
	READ_MESSAGE,
	READ_CRED,
	READ_TASK,
	/* A number, and the one with the facet `other`. */
	READ_FACET,
};

/* What another argument gives is not taken from the socket. */
#define SOCKET_NO_DESTINATION 1
#define SOCKET_NO_SOURCE 2

#define SOCKADDR_SOURCE 1
#define SOCKADDR_USER 2

struct hook_argument {
	enum reading reading;
	/* Of the value in the context. */
	__u32 offset;
	__u32 bytes;
	__u32 other;
	__u32 other_bytes;
};

/* Only calls with an IPv4 or IPv6 address in argument 1 are events. */
#define HOOK_INTERNET 1

/* Of an LSM hook. */
const volatile __u32 hook__id SEC(".rodata");
const volatile __u32 hook__flags SEC(".rodata");
const volatile struct hook_argument hook__arguments[ARGUMENTS] SEC(".rodata");

/* At most 8 bytes. */
static __always_inline __u64 read_value(const void *from, __u32 offset, __u32 bytes)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, bytes, from + offset);
	return value;
}

/* Numbers of 1, 2, 4 and 8 bytes. */
static __always_inline __u64 extend(__u64 value, __u32 bytes, int is_signed)
{
	if (bytes == 1)
		return is_signed ? (__u64)(__s64)(__s8)value : (__u8)value;
	if (bytes == 2)
		return is_signed ? (__u64)(__s64)(__s16)value : (__u16)value;
	if (bytes == 4)
		return is_signed ? (__u64)(__s64)(__s32)value : (__u32)value;
	return value;
}

/* 0 if the process has no such file. */
static __always_inline const void *find_file(__u32 fd)
{
	const void *files = read_pointer((void *)bpf_get_current_task(), offset__task_struct__files);
	const void *table = read_pointer(files, offset__files_struct__fdt);

	if (fd >= (__u32)read_value(table, offset__fdtable__max_fds, 4))
		return 0;
	return read_pointer(read_pointer(table, offset__fdtable__fd) + (__u64)fd * sizeof(void *), 0);
}

static __always_inline void set_kernel_ipv6(struct event *event, __u32 facet, const void *from)
{
	__u32 words[4] = {};

	bpf_probe_read_kernel(words, sizeof(words), from);
	set_ipv6(event, facet, words);
}

/* `omitted`: SOCKET_NO_… */
static __always_inline void set_sock(struct event *event, const void *sk, __u32 omitted)
{
	__u32 family = read_value(sk, offset__sock_common__skc_family, 2);

	set_number(event, NUMBER_FAMILY, family);
	set_number(event, NUMBER_SOCKET_TYPE, read_value(sk, offset__sock__sk_type, 2));
	set_protocol(event, read_value(sk, offset__sock__sk_protocol, 2));
	set_number(event, NUMBER_SOCKET_STATE, read_value(sk, offset__sock_common__skc_state, 1));
	if (family != AF_INET && family != AF_INET6)
		return;
	if (!(omitted & SOCKET_NO_SOURCE)) {
		set_number(event, NUMBER_SOURCE_PORT, read_value(sk, offset__sock_common__skc_num, 2));
		if (family == AF_INET)
			set_ipv4(event, ADDRESS_SOURCE, read_value(sk, offset__sock_common__skc_rcv_saddr, 4));
		else
			set_kernel_ipv6(event, ADDRESS_SOURCE, sk + offset__sock_common__skc_v6_rcv_saddr);
	}
	if (!(omitted & SOCKET_NO_DESTINATION)) {
		__u16 port = read_value(sk, offset__sock_common__skc_dport, 2);

		/* A socket that is not connected has no destination. */
		if (port == 0)
			return;
		set_number(event, NUMBER_DESTINATION_PORT, bpf_ntohs(port));
		if (family == AF_INET)
			set_ipv4(event, ADDRESS_DESTINATION, read_value(sk, offset__sock_common__skc_daddr, 4));
		else
			set_kernel_ipv6(event, ADDRESS_DESTINATION, sk + offset__sock_common__skc_v6_daddr);
	}
}

/* Struct sockaddr_in, the first bytes of struct sockaddr_in6. */
struct address_head {
	__u16 family;
	__u16 port;
	__u32 ipv4;
};

static __always_inline const void *read_message_name(const void *message)
{
	return read_pointer(message, offset__msghdr__msg_name);
}

/*
 * Without a family an address is one of IPv4 for bind(2) and for a datagram, if the socket is (net/ipv4/af_inet.c,
 * __inet_bind; net/ipv4/udp.c, udp_sendmsg). `socket`: a struct socket, or 0.
 */
static __always_inline __u32 find_family(__u32 family, const void *socket)
{
	if (family != 0 || !socket)
		return family;
	return read_value(read_pointer(socket, offset__socket__sk), offset__sock_common__skc_family, 2) == AF_INET ? AF_INET
														   : 0;
}

/* Whether argument 1 of the hook, of this socket, is an address that rules are about. */
static __always_inline int is_internet(const void *socket, const void *argument)
{
	int is_message = hook__arguments[1].reading == READ_MESSAGE;
	int is_source = hook__arguments[1].other & SOCKADDR_SOURCE;
	const void *address = is_message ? read_message_name(argument) : argument;
	__u32 family = find_family(read_value(address, 0, 2), is_message || is_source ? socket : 0);

	return address && (family == AF_INET || family == AF_INET6);
}

/* `flags`: SOCKADDR_… */
static __always_inline void set_sockaddr(struct event *event, const void *from, __u32 flags, const void *socket)
{
	__u32 facet = flags & SOCKADDR_SOURCE ? ADDRESS_SOURCE : ADDRESS_DESTINATION;
	struct address_head head = {};
	__u32 words[4] = {};
	long failed = flags & SOCKADDR_USER ? bpf_probe_read_user(&head, sizeof(head), from)
					    : bpf_probe_read_kernel(&head, sizeof(head), from);

	if (failed)
		return;
	head.family = find_family(head.family, socket);
	if (head.family != AF_INET && head.family != AF_INET6)
		return;
	/* That of the socket, where the hook has it, counts. */
	if (has_memory(event) && !(event->record.known_numbers >> NUMBER_FAMILY & 1))
		set_number(event, NUMBER_FAMILY, head.family);
	set_number(event, flags & SOCKADDR_SOURCE ? NUMBER_SOURCE_PORT : NUMBER_DESTINATION_PORT, bpf_ntohs(head.port));
	if (head.family == AF_INET) {
		set_ipv4(event, facet, head.ipv4);
		return;
	}
	if (flags & SOCKADDR_USER) {
		if (bpf_probe_read_user(words, sizeof(words), from + sizeof(head)) == 0)
			set_ipv6(event, facet, words);
	} else {
		set_kernel_ipv6(event, facet, from + sizeof(head));
	}
}

/* 0 for what has no path. */
static __always_inline int find_place(struct place *place, __u32 reading, const void *value, const void *mounted)
{
	const void *file = 0;

	switch (reading) {
	case READ_PATH:
		mounted = value;
		place->dentry = read_pointer(value, offset__path__dentry);
		break;
	case READ_DENTRY:
		place->dentry = value;
		break;
	case READ_MOUNT:
		place->mnt = value;
		place->dentry = read_pointer(value, offset__vfsmount__mnt_root);
		return 1;
	case READ_FILE:
		file = value;
		break;
	case READ_MAPPING:
		file = read_pointer(value, offset__vm_area_struct__vm_file);
		break;
	case READ_BINPRM:
		file = read_pointer(value, offset__linux_binprm__file);
		break;
	case READ_FD:
		file = find_file((__u32)(__u64)value);
		break;
	default:
		return 0;
	}
	if (file) {
		mounted = file + offset__file__f_path;
		place->dentry = read_pointer(mounted, offset__path__dentry);
	}
	/* Of a dentry alone the path is the one in its file system. */
	place->mnt = mounted ? read_pointer(mounted, offset__path__mnt) : 0;
	return place->dentry != 0;
}

/*
 * `ctx`: 0 for an LSM hook. `beside`: another argument that the reading needs, or 0: the struct path with the mount of a
 * dentry, the socket of an address.
 */
static __always_inline void set_argument(struct event *event, __u32 at, __u64 value, const void *ctx, const void *beside)
{
	__u32 reading = hook__arguments[at].reading;
	__u32 other = hook__arguments[at].other;
	const void *pointer = (const void *)value;
	struct place place = {};

	switch (reading) {
	case READ_NUMBER:
		set_number(event, NUMBER_ARGUMENT + at, extend(value, hook__arguments[at].bytes, other));
		return;
	case READ_USER_STRING:
		set_text_from_user(event, at, pointer, TEXT_BYTES);
		return;
	case READ_BUFFER:
		set_buffer_from_user(event, at, pointer, read_value(ctx, other, hook__arguments[at].other_bytes));
		return;
	case READ_ANY_STRING:
		if ((__s64)value < 0)
			set_text_from_kernel(event, at, pointer, TEXT_BYTES);
		else
			set_text_from_user(event, at, pointer, TEXT_BYTES);
		return;
	case READ_KERNEL_STRING:
		if (pointer)
			set_text_from_kernel(event, at, pointer, TEXT_BYTES);
		return;
	case READ_LOCATION:
		set_text_from_kernel(event, at, ctx + (value & 0xffff), value >> 16 & 0xffff);
		return;
	case READ_ARRAY:
		set_text_from_kernel(event, at, ctx + hook__arguments[at].offset, other);
		return;
	case READ_SOCK:
		if (pointer)
			set_sock(event, pointer, other);
		return;
	case READ_SOCKET:
		if (pointer)
			set_sock(event, read_pointer(pointer, offset__socket__sk), other);
		return;
	case READ_SOCKADDR:
		set_sockaddr(event, pointer, other, other & SOCKADDR_SOURCE ? beside : 0);
		return;
	case READ_MESSAGE:
		set_sockaddr(event, read_message_name(pointer), other, beside);
		return;
	case READ_CRED:
		set_number(event, NUMBER_ARGUMENT + at, (__u32)read_value(pointer, offset__cred__uid, 4));
		return;
	case READ_TASK:
		set_number(event, NUMBER_ARGUMENT + at, (__u32)read_value(pointer, offset__task_struct__tgid, 4));
		return;
	case READ_FACET:
		set_number(event, NUMBER_ARGUMENT + at, extend(value, 4, 1));
		set_number(event, other, extend(value, 4, 1));
		return;
	case READ_FD:
		set_number(event, NUMBER_ARGUMENT + at, extend(value, 4, 1));
		break;
	}
	/* 0 is a descriptor like any other. */
	if ((pointer || reading == READ_FD) && find_place(&place, reading, pointer, beside))
		set_path(event, at, &place);
}

#endif
