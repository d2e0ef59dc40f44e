// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs that enforce policies. They are the same for all policies, which are data in their maps: docs/adr/0022.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "containers.h"
#include "path.h"
#include "rules.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

OFFSET(linux_binprm__file);
OFFSET(linux_binprm__filename);
OFFSET(linux_binprm__interp);

#define SIGKILL 9
#define EPERM 1
#define SOCK_STREAM 1

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct path_key);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} exec_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address_key);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} connect_addresses SEC(".maps");

/* By the port in host order. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} connect_ports SEC(".maps");

/* Adds those of the rules that are about the path in the key. */
static __always_inline void add_path_rules(struct path_buffer *buffer, const struct rule_set *rules,
					   struct rule_set *matched)
{
	struct rule_set *found = bpf_map_lookup_elem(&exec_paths, &buffer->key);

	if (!found)
		return;
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		matched->words[at] |= rules->words[at] & found->words[at];
}

/* Leaves the rules that are active and about the container of the current process. */
static __always_inline int find_rules(struct enforcement *now, struct rule_set *rules)
{
	/* Read before all other maps: a rule that is active here is complete there. */
	*rules = now->active;
	asm volatile("" ::: "memory");
	struct rule_set *container = find_container_rules(now);

	if (!container)
		return 0;
	keep_common(rules, container);
	return !is_empty(rules);
}

static __always_inline int is_exec_denied(const void *bprm)
{
	struct enforcement *now = find_enforcement();
	struct rule_set rules;

	if (!now || !find_rules(now, &rules))
		return 0;
	keep_common(&rules, &now->exec);
	if (is_empty(&rules))
		return 0;

	struct path_buffer *buffer = take_buffer();

	/* What cannot be known must not be a way around a rule: a path that is too deep, too. */
	if (!buffer)
		return is_denied(now, &rules);
	struct rule_set matched = {};

	if (render_path(buffer, read_pointer(bprm, offset__linux_binprm__file) + offset__file__f_path)) {
		fill_key(buffer, &buffer->text[buffer->start & (PATH_BUFFER - 1)]);
		add_path_rules(buffer, &rules, &matched);
	} else {
		matched = rules;
	}

	/* Of a script that has started its interpreter only the name is left, as the caller wrote it. */
	void *name = read_pointer(bprm, offset__linux_binprm__filename);

	if (name != read_pointer(bprm, offset__linux_binprm__interp)) {
		fill_key(buffer, name);
		if (buffer->key.path[0] == '/')
			add_path_rules(buffer, &rules, &matched);
	}
	release_buffer(buffer);
	return !is_empty(&matched) && is_denied(now, &matched);
}

/* The new program has not run an instruction yet, and runs none. */
SEC("raw_tracepoint/sched_process_exec")
int kill_exec(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
	if (is_exec_denied((const void *)ctx->args[2]))
		bpf_send_signal(SIGKILL);
	return 0;
}

/* Where the kernel has BPF LSM: execve(2) fails, and the caller goes on. */
SEC("lsm/bprm_check_security")
long deny_exec(unsigned long long *ctx)
{
	/* After a program that denies the kernel calls no other one. */
	long result = 0;

	/* Not calculated, since the verifier of Linux 6.12 demands a result that it knows. */
	if (is_exec_denied((const void *)ctx[0])) {
		result = -EPERM;
		asm volatile("" : "+r"(result));
	}
	return result;
}

/* An address in network order; a program of this kind returns 0 for EPERM and 1 to let the call pass. */
static __always_inline int judge_connect(struct address_key *key, __u32 type, __u32 port)
{
	struct enforcement *now = find_enforcement();
	struct rule_set rules;

	if (!now || !find_rules(now, &rules))
		return 1;
	keep_common(&rules, type == SOCK_STREAM ? &now->stream : &now->datagram);
	if (is_empty(&rules))
		return 1;

	struct rule_set *of_address = bpf_map_lookup_elem(&connect_addresses, key);

	if (!of_address)
		return 1;
	keep_common(&rules, of_address);

	__u32 host_port = bpf_ntohs((__u16)port);
	struct rule_set *of_port = bpf_map_lookup_elem(&connect_ports, &host_port);
	struct rule_set to_port = now->any_port;

	if (of_port) {
#pragma unroll
		for (int at = 0; at < RULE_WORDS; at++)
			to_port.words[at] |= of_port->words[at];
	}
	keep_common(&rules, &to_port);
	return is_empty(&rules) || !is_denied(now, &rules);
}

#define LOOPBACK bpf_htonl(0x7f000001)
#define MAPPED bpf_htonl(0xffff)

/* To the unspecified address the kernel connects to the loopback one (net/ipv4/route.c, net/ipv6/tcp_ipv6.c). */
static __always_inline int judge_ipv4(struct bpf_sock_addr *ctx)
{
	__u32 address = ctx->user_ip4 == 0 ? LOOPBACK : ctx->user_ip4;
	struct address_key key = { .prefix_bits = 128 };
	__u32 words[4] = { 0, 0, MAPPED, address };

	__builtin_memcpy(key.address, words, sizeof(words));
	return judge_connect(&key, ctx->type, ctx->user_port);
}

static __always_inline int judge_ipv6(struct bpf_sock_addr *ctx)
{
	struct address_key key = { .prefix_bits = 128 };
	__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	if ((words[0] | words[1]) == 0 && words[3] == 0) {
		if (words[2] == 0)
			words[3] = bpf_htonl(1);
		else if (words[2] == MAPPED)
			words[3] = LOOPBACK;
	}
	__builtin_memcpy(key.address, words, sizeof(words));
	return judge_connect(&key, ctx->type, ctx->user_port);
}

SEC("cgroup/connect4")
int connect_ipv4(struct bpf_sock_addr *ctx)
{
	return judge_ipv4(ctx);
}

SEC("cgroup/connect6")
int connect_ipv6(struct bpf_sock_addr *ctx)
{
	return judge_ipv6(ctx);
}

SEC("cgroup/sendmsg4")
int send_ipv4(struct bpf_sock_addr *ctx)
{
	return judge_ipv4(ctx);
}

SEC("cgroup/sendmsg6")
int send_ipv6(struct bpf_sock_addr *ctx)
{
	return judge_ipv6(ctx);
}
