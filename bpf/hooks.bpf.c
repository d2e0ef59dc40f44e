// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Programs for tracepoints, kernel functions and LSM hooks. Each is a template: it is loaded for each LSM hook, and for each
 * list of arguments of tracepoints, functions and system calls, with the constants below. The verifier removes what they do not need.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "arguments.h"
#include "calls.h"
#include "event.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Names of the hooks that have ids from FIRST_DYNAMIC_HOOK on, for the next agent; JSON. Programs do not use it. */
struct hook_point {
	char text[1024];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HOOKS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct hook_point);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} hook_points SEC(".maps");

/*
 * Values are at their places in the context: fields of a tracepoint, registers of a function. The number of the hook is
 * the cookie of the attachment, so that one loaded program serves all hooks of which the same is read.
 */
static __always_inline int judge_context(void *ctx)
{
	struct event *event = begin_event(bpf_get_attach_cookie(ctx));

	if (!event)
		return 0;
#pragma unroll
	for (int at = 0; at < ARGUMENTS; at++) {
		if (hook__arguments[at].reading == READ_NOTHING)
			continue;
		set_argument(event, at, read_value(ctx, hook__arguments[at].offset, hook__arguments[at].bytes), ctx, 0);
	}
	return finish_event(event, CANNOT_DENY, 1);
}

SEC("tracepoint")
int hook_tracepoint(void *ctx)
{
	judge_context(ctx);
	return 0;
}

/*
 * Every system call of every process of the node comes here: one that is not hooked returns after one lookup, and one of a
 * process that no rule is about before any of its arguments is read.
 */
SEC("raw_tracepoint/sys_enter")
int dispatch_call(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 rows = find_rows(find_call(ctx->args[1], (const void *)ctx->args[0]), ALL_ROWS);

	if (rows != 0 && has_rules())
		judge_rows(ctx, rows, ALL_ROWS);
	return 0;
}

static __always_inline void judge_row(const void *registers, __u32 number)
{
	__u32 place = find_call(number, registers);
	__u32 key = call__row * CALLS + place;
	union called_hooks *hooks = place < CALLS ? bpf_map_lookup_elem(&called_hooks, &key) : 0;

	if (!hooks || hooks->any == 0)
		return;
	struct call_hook *hook = is_32_bit() ? &hooks->of_32_bit : &hooks->own;
	struct event *event = hook->id == 0 ? 0 : begin_event(hook->id);

	if (!event)
		return;
	struct call call = { .registers = registers, .layout = hook->layout };

#pragma unroll
	for (int at = 0; at < ARGUMENTS; at++) {
		if (hook__arguments[at].reading != READ_NOTHING && has_memory(event))
			set_call_argument(event, at, &call);
	}
	finish_event(event, CANNOT_DENY, 1);
}

/*
 * Called by the program above, and by that of a lower row. What is after the judging reads the call again: the verifier would
 * examine the judging for each value that is kept across it.
 */
SEC("raw_tracepoint")
int judge_call_row(struct bpf_raw_tracepoint_args *ctx)
{
	judge_row((const void *)ctx->args[0], ctx->args[1]);

	const volatile __u64 *args = ctx->args;
	__u32 higher = ALL_ROWS << 1 << (call__row & (CALL_ROWS - 1));

	judge_rows(ctx, find_rows(find_call(args[1], (const void *)args[0]), higher), higher);
	return 0;
}

SEC("kprobe")
int hook_function(void *ctx)
{
	judge_context(ctx);
	return 0;
}

/* The verifier allows only what the hook has. */
#define READ_ARGUMENT(at) (hook__arguments[at].reading == READ_NOTHING ? 0 : ctx[at])

/* `other`: of the reading. */
static __always_inline const void *find_beside(const unsigned long long *values, __u32 reading, __u32 other)
{
	if (reading == READ_SOCKADDR || reading == READ_MESSAGE)
		return (const void *)values[0];
	if (reading != READ_DENTRY)
		return 0;
	return (const void *)(other == 1 ? values[0] : other == 2 ? values[1] : other == 3 ? values[2] : 0);
}

SEC("lsm")
long hook_lsm(const unsigned long long *ctx)
{
	if (hook__flags & HOOK_INTERNET && !is_internet((const void *)ctx[0], (const void *)ctx[1]))
		return 0;

	struct event *event = begin_event(hook__id);

	if (!event)
		return 0;

	unsigned long long values[ARGUMENTS] = { READ_ARGUMENT(0), READ_ARGUMENT(1), READ_ARGUMENT(2), READ_ARGUMENT(3),
						 READ_ARGUMENT(4) };

#pragma unroll
	for (int at = 0; at < ARGUMENTS; at++) {
		__u32 reading = hook__arguments[at].reading;

		if (reading != READ_NOTHING)
			set_argument(event, at, values[at], 0,
				     find_beside(values, reading, hook__arguments[at].other));
	}
	return to_lsm_result(finish_event(event, DENIES_BY_ERROR, 1));
}
