/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Facts about the current process, by reads alone: not every kind of program has the helpers for them. */
#ifndef TASK_H
#define TASK_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "binary.h"
#include "events.h"
#include "path.h"

OFFSET(task_struct__tgid);
OFFSET(task_struct__pid);
OFFSET(task_struct__cred);
OFFSET(task_struct__group_leader);
OFFSET(task_struct__real_parent);
OFFSET(task_struct__thread_pid);
OFFSET(cred__uid);
OFFSET(pid__level);
OFFSET(pid__numbers);

/* struct upid { int nr; struct pid_namespace *ns; } */
#define UPID_BYTES 16
/* Depth of the namespaces of processes, include/linux/pid_namespace.h. */
#define MAX_PID_NS_LEVEL 32

static __always_inline __u32 read_u32(const void *from, __u32 offset)
{
	__u32 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), from + offset);
	return value;
}

static __always_inline __u64 read_u64(const void *from, __u32 offset)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), from + offset);
	return value;
}

static __always_inline __u64 read_start_time(const void *task)
{
	return read_u64(read_pointer(task, offset__task_struct__group_leader), offset__task_struct__start_boottime);
}

/* Of the process, in its innermost namespace; 0 if it has none. */
static __always_inline __u32 read_namespace_pid(const void *task)
{
	void *pid = read_pointer(read_pointer(task, offset__task_struct__group_leader), offset__task_struct__thread_pid);
	__u32 level = read_u32(pid, offset__pid__level);

	return level > MAX_PID_NS_LEVEL ? 0 : read_u32(pid, offset__pid__numbers + level * UPID_BYTES);
}

/* All but `bytes`, which output_record() sets. */
static __always_inline void fill_record(struct record *record, __u32 kind, __u64 container)
{
	void *task = (void *)bpf_get_current_task();
	void *parent = read_pointer(task, offset__task_struct__real_parent);

	record->kind = kind;
	record->time = bpf_ktime_get_boot_ns();
	record->container = container;
	record->start_time = read_start_time(task);
	record->pid = read_u32(task, offset__task_struct__tgid);
	record->tid = read_u32(task, offset__task_struct__pid);
	record->uid = read_u32(read_pointer(task, offset__task_struct__cred), offset__cred__uid);
	record->parent_pid = read_u32(parent, offset__task_struct__tgid);
	record->parent_start_time = read_start_time(parent);
}

#endif
