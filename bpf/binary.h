/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What filters on the executable say about the program that a thread runs: found once, and not for each event. */
#ifndef BINARY_H
#define BINARY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "path.h"
#include "rules.h"

OFFSET(task_struct__mm);
OFFSET(task_struct__start_boottime);
OFFSET(task_struct__self_exec_id);
OFFSET(mm_struct__exe_file);

/*
 * What the answer is for. An address alone may be that of another task or file later: a task with this address that started
 * at this time is this one; it has executed so many programs; and since this one the file is another one only if a
 * privileged process has changed it (prctl(2), PR_SET_MM_EXE_FILE).
 */
struct running_binary {
	__u64 task;
	__u64 start_time;
	__u64 executions;
	__u64 file;
	/* Of the rules. */
	__u64 generation;
};

struct known_binary {
	/* Odd while the rest is written. */
	__u64 sequence;
	struct running_binary of;
	/* Rules that match the path, and its ending. */
	struct rule_set texts;
	struct rule_set endings;
};

/*
 * Per processor, so that there is one writer at a time: the sequence tells of one that was interrupted. Two threads with the
 * same place take it from each other, and are only slower.
 */
#define BINARY_BITS 9
#define BINARIES (1 << BINARY_BITS)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BINARIES);
	__type(key, __u32);
	__type(value, struct known_binary);
} known_binaries SEC(".maps");

/* 0 for kernel threads, which have no executable. */
static __always_inline int read_running_binary(struct running_binary *of, __u64 generation)
{
	void *task = (void *)bpf_get_current_task();
	void *mm = read_pointer(task, offset__task_struct__mm);

	of->task = (__u64)task;
	of->file = mm ? (__u64)read_pointer(mm, offset__mm_struct__exe_file) : 0;
	of->start_time = (__u64)read_pointer(task, offset__task_struct__start_boottime);
	of->executions = (__u64)read_pointer(task, offset__task_struct__self_exec_id);
	of->generation = generation;
	return of->file != 0;
}

static __always_inline struct known_binary *find_known_binary(__u64 task)
{
	/* The highest bits of a product are those that all bits of the address have a part in. */
	__u32 key = task * 0x9e3779b97f4a7c15 >> (64 - BINARY_BITS);

	return bpf_map_lookup_elem(&known_binaries, &key);
}

/* Whether the answer is known: then it is copied. */
static __always_inline int read_known_binary(struct known_binary *to, const volatile struct known_binary *known)
{
	__u64 sequence = known->sequence;
	__u64 others = (known->of.task ^ to->of.task) | (known->of.start_time ^ to->of.start_time) |
		       (known->of.executions ^ to->of.executions) | (known->of.file ^ to->of.file) |
		       (known->of.generation ^ to->of.generation);

#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++) {
		to->texts.words[at] = known->texts.words[at];
		to->endings.words[at] = known->endings.words[at];
	}
	return (others | (known->sequence ^ sequence) | (sequence & 1)) == 0;
}

static __always_inline void write_known_binary(volatile struct known_binary *known, const struct known_binary *from)
{
	__u64 sequence = known->sequence & ~1ULL;

	if (__sync_val_compare_and_swap(&known->sequence, sequence, sequence + 1) != sequence)
		return;
	known->of.task = from->of.task;
	known->of.start_time = from->of.start_time;
	known->of.executions = from->of.executions;
	known->of.file = from->of.file;
	known->of.generation = from->of.generation;
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++) {
		known->texts.words[at] = from->texts.words[at];
		known->endings.words[at] = from->endings.words[at];
	}
	known->sequence = sequence + 2;
}

#endif
