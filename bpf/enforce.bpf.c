// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs for executions, connections and bind(2). They are the same for all policies, which are data in their maps:
 * docs/adr/0022.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "event.h"
#include "internet.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

OFFSET(linux_binprm__file);
OFFSET(linux_binprm__filename);
OFFSET(linux_binprm__interp);

/* The path of the opened file. */
static __always_inline int judge_file(const void *bprm, int can_deny)
{
	struct event *event = begin_event(HOOK_EXEC);

	if (!event)
		return 0;
	set_path(event, TEXT_ARGUMENT, read_pointer(bprm, offset__linux_binprm__file) + offset__file__f_path);
	return finish_event(event, can_deny, 1);
}

/* Of a script that has started its interpreter only the name is left, as the caller wrote it: 0 for others. */
static __always_inline const char *find_script_name(const void *bprm)
{
	const char *name = read_pointer(bprm, offset__linux_binprm__filename);
	char first = 0;

	if (name == read_pointer(bprm, offset__linux_binprm__interp))
		return 0;
	bpf_probe_read_kernel(&first, sizeof(first), name);
	return first == '/' ? name : 0;
}

/* The new program has not run an instruction yet, and runs none. */
SEC("raw_tracepoint/sched_process_exec")
int kill_exec(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
	judge_file((const void *)ctx->args[2], DENIES_BY_KILL);
	return 0;
}

/* By itself, since the verifier examines both parts of one program together. */
SEC("raw_tracepoint/sched_process_exec")
int kill_script(struct bpf_raw_tracepoint_args *ctx)
{
	const char *name = find_script_name((const void *)ctx->args[2]);
	struct event *event = name ? begin_event(HOOK_EXEC) : 0;

	if (event) {
		set_text_from_kernel(event, TEXT_ARGUMENT, name, TEXT_BYTES);
		finish_event(event, DENIES_BY_KILL, 1);
	}
	return 0;
}

/* Where the kernel has BPF LSM: execve(2) fails, and the caller goes on. A script and its interpreter are two calls. */
SEC("lsm/bprm_check_security")
long deny_exec(unsigned long long *ctx)
{
	/* After a program that denies the kernel calls no other one. */
	return to_lsm_result(judge_file((const void *)ctx[0], DENIES_BY_ERROR));
}

/* A program of this kind returns 0 for an error, EPERM unless it sets another, and 1 to let the call pass. */
static __always_inline int finish_call(struct event *event)
{
	int error = finish_event(event, DENIES_BY_ERROR, 0);

	if (error == 0)
		return 1;
	if (error != EPERM)
		bpf_set_retval((int)to_lsm_result(error));
	return 0;
}

/* Of a connection and a datagram the address is the destination, of bind(2) the source. */
static __always_inline int judge_address(struct bpf_sock_addr *ctx, __u32 hook, int is_ipv6)
{
	__u32 facet = hook == HOOK_BIND ? ADDRESS_SOURCE : ADDRESS_DESTINATION;
	struct event *event = begin_event(hook);

	if (!event)
		return 1;
	if (is_ipv6) {
		__u32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

		set_ipv6(event, facet, words);
	} else {
		set_ipv4(event, facet, ctx->user_ip4);
	}
	set_number(event, hook == HOOK_BIND ? NUMBER_SOURCE_PORT : NUMBER_DESTINATION_PORT,
		   bpf_ntohs((__u16)ctx->user_port));
	set_protocol(event, ctx->protocol);
	set_number(event, NUMBER_FAMILY, ctx->family);
	set_number(event, NUMBER_SOCKET_TYPE, ctx->type);
	return finish_call(event);
}

SEC("cgroup/connect4")
int connect_ipv4(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_CONNECT, 0);
}

SEC("cgroup/connect6")
int connect_ipv6(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_CONNECT, 1);
}

SEC("cgroup/sendmsg4")
int send_ipv4(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_CONNECT, 0);
}

SEC("cgroup/sendmsg6")
int send_ipv6(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_CONNECT, 1);
}

SEC("cgroup/bind4")
int bind_ipv4(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_BIND, 0);
}

SEC("cgroup/bind6")
int bind_ipv6(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_BIND, 1);
}
