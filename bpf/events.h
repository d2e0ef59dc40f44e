/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the programs tell the agent: records in a ring buffer. libs/bpf/src/core/event-records.ts reads them, and a test
 * compares the two layouts. Numbers are in the byte order of the processor, which is little-endian.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "facets.h"
#include "rules.h"

#define RECORD_EXEC 1
#define RECORD_EXIT 2
#define RECORD_FORK 3
#define RECORD_MATCH 4
#define RECORD_CGROUP_GONE 5
#define RECORD_KINDS 6

struct record {
	__u32 kind;
	/* Of the whole record. */
	__u32 bytes;
	/* bpf_ktime_get_boot_ns() */
	__u64 time;
	/* Id of the root cgroup; 0 for a process in no known container. */
	__u64 container;
	/* Of the process: of its first thread, in nanoseconds since the boot. */
	__u64 start_time;
	/* Of the process and of the thread, in the namespace of the node. */
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 parent_pid;
	__u64 parent_start_time;
};

/* The arguments were longer than what is told of them. */
#define EXEC_ARGUMENTS_CUT 1
/* The path, the arguments, the working directory cannot be told. */
#define EXEC_NO_PATH 2
#define EXEC_NO_ARGUMENTS 4
#define EXEC_NO_CWD 8
/* The kernel knows a login uid: `auid`, 0xffffffff where it is not set. */
#define EXEC_HAS_AUID 16

/* The process has begun the program; `tid` is its one thread. */
struct exec_record {
	struct record common;
	__u32 auid;
	/* In the innermost namespace. */
	__u32 namespace_pid;
	__u32 path_bytes;
	__u32 arguments_bytes;
	__u32 cwd_bytes;
	__u32 flags;
	/* Path; arguments, each with a zero after it, the last maybe without; working directory. */
	char text[];
};

/* The last thread of the process ends. Two that end at the same time may both be the last. */
struct exit_record {
	struct record common;
	/* As for waitpid(2). */
	__u32 exit_code;
	__u32 unused;
};

/* A process, not a thread, is made. */
struct fork_record {
	struct record common;
	__u32 child_pid;
	/* In the innermost namespace of the child. */
	__u32 child_namespace_pid;
	__u64 child_start_time;
};

/* The call fails. */
#define MATCH_DENIED 1
/* The process gets a signal. */
#define MATCH_SIGNALLED 2
/* The `start` of a text that is not known. */
#define NO_TEXT 0xffff

struct record_text {
	/* In match_record.text. */
	__u16 start;
	__u16 length;
};

struct match_record {
	struct record common;
	/* Id of the hook. */
	__u32 hook;
	__u32 flags;
	/* Rules that post. */
	struct rule_set rules;
	/* Those of them whose effects were carried out. */
	struct rule_set enforced;
	/* Bit n: number n, address n is known. */
	__u32 known_numbers;
	__u32 known_addresses;
	__u64 numbers[NUMBERS];
	__u8 addresses[ADDRESSES][16];
	/* Those of the arguments; the binary is known from its execution. */
	struct record_text texts[ARGUMENTS];
	char text[];
};

/* The cgroup of a known container was removed; the process is the one that did so. */
struct cgroup_record {
	struct record common;
	__u64 cgroup;
};

#define EVENT_BYTES (8 * 1024 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENT_BYTES);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} events SEC(".maps");

/* Records for which there was no room, by their kind. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RECORD_KINDS);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} lost_events SEC(".maps");

/* Atomic: another program may interrupt this one on its processor. */
static __always_inline void count_lost(__u32 kind)
{
	__u64 *lost = bpf_map_lookup_elem(&lost_events, &kind);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/* All but `bytes` is set. */
static __always_inline void output_record(struct record *record, __u32 bytes)
{
	record->bytes = bytes;
	if (bpf_ringbuf_output(&events, record, bytes, 0) != 0)
		count_lost(record->kind);
}

#endif
