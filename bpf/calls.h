/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * System calls: which hook is about each, by its number, and where its arguments are (docs/adr/0025 and 0028).
 * libs/bpf/src/core/call-places.ts has the same numbers.
 */
#ifndef CALLS_H
#define CALLS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "arguments.h"
#include "event.h"
#include "task.h"

/* On x86-64 a call of the 32-bit table has TS_COMPAT in this word, arch/x86/include/asm/thread_info.h. */
OPTIONAL_OFFSET(task_struct__thread_info__status);
#define TS_COMPAT 2
/* On arm64 all calls of a 32-bit program are such: TIF_32BIT, arch/arm64/include/asm/thread_info.h. */
OFFSET(task_struct__thread_info__flags);
#define TIF_32BIT (1 << 22)

/* Numbers of system calls. */
#define CALLS 1024
/* What the two calls do that do several things: a place for each value of their first argument. */
#define SOCKET_CALLS 928
#define IPC_CALLS 960
#define MAX_PART 31

/* Lists of arguments; each has a program, and a row in the table. The kernel allows 33 tail calls in a row. */
#define CALL_ROWS 32
#define ALL_ROWS 0xffffffff

/* A bit for each row with a hook on the call. */
union call_rows {
	struct {
		__u32 own;
		__u32 of_32_bit;
	};
	__u64 any;
};

/* By the place of the call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALLS);
	__type(key, __u32);
	__type(value, union call_rows);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} call_rows SEC(".maps");

/* By the row. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CALL_ROWS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} call_programs SEC(".maps");

struct call_hook {
	/* 0: none. */
	__u16 id;
	__u16 layout;
};

union called_hooks {
	struct {
		struct call_hook own;
		struct call_hook of_32_bit;
	};
	__u64 any;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALL_ROWS * CALLS);
	__type(key, __u32);
	__type(value, union called_hooks);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} called_hooks SEC(".maps");

/* In the place of a register that there is none of. */
#define NO_REGISTER 0xff

/* Where an argument is. */
struct call_register {
	/* Offset in struct pt_regs, or in the memory with the arguments. */
	__u8 low;
	/* Of the upper half, or NO_REGISTER. */
	__u8 high;
	/* 0: the call does not have the argument. */
	__u8 bytes;
	/* The kernel shifts it to the left by so many bits. */
	__u8 shift;
};

#define CALL_LAYOUTS 32
/* Six arguments; then the register with the address of the arguments, or NO_REGISTER. */
#define LAYOUT_REGISTERS 8
#define LAYOUT_MEMORY 7

const volatile __u32 call__row SEC(".rodata");
/* A bit that numbers of x32 programs have besides. */
const volatile __u32 call__x32 SEC(".rodata");
/* Numbers of the 32-bit table, and the register with their first argument. */
const volatile __u32 call__socketcall SEC(".rodata");
const volatile __u32 call__ipc SEC(".rodata");
const volatile __u32 call__part SEC(".rodata");
const volatile struct call_register call__layouts[CALL_LAYOUTS * LAYOUT_REGISTERS] SEC(".rodata");

struct call {
	const void *registers;
	__u32 layout;
};

/* Whether the current system call is one of the 32-bit table. */
static __always_inline int is_32_bit(void)
{
	const void *task = bpf_get_current_task_btf();

	if (offset__task_struct__thread_info__status != NO_OFFSET)
		return (*(const volatile __u32 *)(task + offset__task_struct__thread_info__status) & TS_COMPAT) != 0;
	return (*(const volatile __u32 *)(task + offset__task_struct__thread_info__flags) & TIF_32BIT) != 0;
}

/* The place of a call in its table; CALLS or more for what no kernel has. */
static __always_inline __u32 find_call(__u32 number, const void *registers)
{
	if ((number == call__socketcall || number == call__ipc) && is_32_bit()) {
		__u32 part = (__u16)read_u32(registers, call__part);

		return (number == call__ipc ? IPC_CALLS : SOCKET_CALLS) + (part > MAX_PART ? 0 : part);
	}
	return number & ~call__x32;
}

/* The rows with a hook on the call, of `wanted` ones. */
static __always_inline __u32 find_rows(__u32 place, __u32 wanted)
{
	union call_rows *found = place < CALLS ? bpf_map_lookup_elem(&call_rows, &place) : 0;
	union call_rows rows = { .any = found ? *(volatile __u64 *)&found->any : 0 };

	if (((rows.own | rows.of_32_bit) & wanted) == 0)
		return 0;
	return (is_32_bit() ? rows.of_32_bit : rows.own) & wanted;
}

/*
 * Goes on with the program of the lowest of these rows. Each call has a constant row: then x86 jumps straight there. A row
 * without a program is skipped. `possible`: a constant.
 */
static __always_inline void judge_rows(void *ctx, __u32 rows, __u32 possible)
{
#pragma unroll
	for (__u32 row = 0; row < CALL_ROWS; row++) {
		if (possible >> row & 1 && rows >> row & 1)
			bpf_tail_call(ctx, &call_programs, row);
	}
}

static __always_inline const volatile struct call_register *find_register(const struct call *call, __u32 index)
{
	return &call__layouts[(call->layout * LAYOUT_REGISTERS + index) % (CALL_LAYOUTS * LAYOUT_REGISTERS)];
}

/* 4 bytes. */
static __always_inline __u32 read_part(const struct call *call, __u32 at)
{
	__u32 memory = find_register(call, LAYOUT_MEMORY)->low;
	__u32 value = 0;

	if (memory == NO_REGISTER)
		return read_u32(call->registers, at);
	bpf_probe_read_user(&value, sizeof(value), (void *)(__u64)read_u32(call->registers, memory) + at);
	return value;
}

/* `bytes`: how many it has; 0: the call does not have it. */
static __always_inline __u64 read_call_argument(const struct call *call, __u32 index, __u32 *bytes)
{
	const volatile struct call_register *from = find_register(call, index);

	*bytes = from->bytes;
	if (from->bytes == 8 && from->high == NO_REGISTER && from->shift == 0)
		return read_u64(call->registers, from->low);
	__u64 value = read_part(call, from->low);

	if (from->high != NO_REGISTER)
		value |= (__u64)read_part(call, from->high) << 32;
	return value << (from->shift & 63);
}

/* `offset` and `other` of a reading are numbers of arguments. */
static __always_inline void set_call_argument(struct event *event, __u32 at, const struct call *call)
{
	__u32 reading = hook__arguments[at].reading;
	__u32 wanted = hook__arguments[at].bytes;
	__u32 bytes = 0;
	__u64 value = read_call_argument(call, hook__arguments[at].offset, &bytes);
	struct place place = {};

	if (bytes == 0)
		return;
	switch (reading) {
	case READ_NUMBER:
		set_number(event, NUMBER_ARGUMENT + at,
			   extend(value, wanted < bytes ? wanted : bytes, hook__arguments[at].other));
		return;
	case READ_USER_STRING:
		set_text_from_user(event, at, (const void *)value, TEXT_BYTES);
		return;
	case READ_BUFFER:
		set_buffer_from_user(event, at, (const void *)value,
				     read_call_argument(call, hook__arguments[at].other, &bytes));
		return;
	case READ_SOCKADDR:
		set_sockaddr(event, (const void *)value, SOCKADDR_USER, 0);
		return;
	case READ_FD:
		set_number(event, NUMBER_ARGUMENT + at, extend(value, 4, 1));
		if (find_place(&place, READ_FD, (const void *)value, 0))
			set_path(event, at, &place);
		return;
	}
}

#endif
