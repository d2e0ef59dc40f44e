// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Tells the agent of the processes of known containers: executions, ends, forks, and of the end of a container's cgroup.
 * A process in no known container costs one look-up for each level that containers are at.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "containers.h"
#include "events.h"
#include "path.h"
#include "task.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

OFFSET(linux_binprm__file);
OFFSET(task_struct__signal);
OFFSET(task_struct__exit_code);
OFFSET(task_struct__mm);
OFFSET(signal_struct__live);
OFFSET(signal_struct__flags);
OFFSET(signal_struct__group_exit_code);
OFFSET(mm_struct__arg_start);
OFFSET(mm_struct__arg_end);
OFFSET(fs_struct__pwd);
OFFSET(cgroup__kn);
OFFSET(cgroup__root);
OFFSET(cgroup_root__hierarchy_id);
OFFSET(kernfs_node__id);
/* Only of a kernel with CONFIG_AUDIT. */
OPTIONAL_OFFSET(task_struct__loginuid);

/* Makes the compiler describe them, for the test of the layout. */
const struct exec_record *exec_layout __attribute__((unused));
const struct exit_record *exit_layout __attribute__((unused));
const struct fork_record *fork_layout __attribute__((unused));
const struct match_record *match_layout __attribute__((unused));
const struct cgroup_record *cgroup_layout __attribute__((unused));

/* Of the arguments that are told. A power of two. */
#define ARGUMENT_BYTES 4096
/* Path, arguments and working directory, and a power of two. */
#define TEXT_BYTES (4 * 4096)

struct exec_scratch {
	__u32 is_taken;
	__u32 unused;
	struct path_buffer buffer;
	/* A struct exec_record with its text. */
	__u64 record[(sizeof(struct exec_record) + TEXT_BYTES) / sizeof(__u64)];
};

#define EXEC_SCRATCHES 2

/* Per processor. A kernel may stop a program in the middle and run another one on the same processor. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EXEC_SCRATCHES);
	__type(key, __u32);
	__type(value, struct exec_scratch);
} exec_scratches SEC(".maps");

static __always_inline struct exec_scratch *take_scratch(void)
{
#pragma unroll
	for (int at = 0; at < EXEC_SCRATCHES; at++) {
		__u32 key = at;
		struct exec_scratch *scratch = bpf_map_lookup_elem(&exec_scratches, &key);

		if (scratch && __sync_val_compare_and_swap(&scratch->is_taken, 0, 1) == 0)
			return scratch;
	}
	return 0;
}

/* Appends the path at `end` of the text; its length, or 0 if it cannot be told. */
static __always_inline __u32 append_path(struct path_buffer *buffer, struct exec_record *record, __u32 end,
					 const void *path)
{
	struct place place = read_place(path);
	__u32 length = 0;

	if (render_path(buffer, &place)) {
		__u32 start = buffer->start & (PATH_BUFFER - 1);

		/* The root itself has no name: its text is empty. */
		length = buffer->start == PATH_BUFFER ? 0 : PATH_BUFFER - start;
		if (length == 0) {
			record->text[end & (TEXT_BYTES - 1)] = '/';
			length = 1;
		} else {
			bpf_probe_read_kernel(&record->text[end & (2 * PATH_BUFFER - 1)], length & (PATH_BUFFER - 1),
					      &buffer->text[start]);
		}
	}
	return length & (PATH_BUFFER - 1);
}

/* Appends what fits; its length. */
static __always_inline __u32 append_arguments(struct exec_record *record, __u32 end, const void *task)
{
	void *mm = read_pointer(task, offset__task_struct__mm);
	__u64 start = read_u64(mm, offset__mm_struct__arg_start);
	__u64 bytes = read_u64(mm, offset__mm_struct__arg_end) - start;
	__u32 length = bytes;

	if (bytes > ARGUMENT_BYTES - 1) {
		length = ARGUMENT_BYTES - 1;
		record->flags |= EXEC_ARGUMENTS_CUT;
	}
	length &= ARGUMENT_BYTES - 1;
	if (bpf_probe_read_user(&record->text[end & (PATH_BUFFER - 1)], length, (void *)start) == 0)
		return length;
	record->flags |= EXEC_NO_ARGUMENTS;
	return 0;
}

static __always_inline void fill_exec(struct path_buffer *buffer, struct exec_record *record, const void *file)
{
	void *task = (void *)bpf_get_current_task();

	record->namespace_pid = read_namespace_pid(task);
	record->flags = 0;
	record->auid = 0;
	if (offset__task_struct__loginuid != NO_OFFSET) {
		record->auid = read_u32(task, offset__task_struct__loginuid);
		record->flags |= EXEC_HAS_AUID;
	}
	record->path_bytes = append_path(buffer, record, 0, file + offset__file__f_path);
	if (record->path_bytes == 0)
		record->flags |= EXEC_NO_PATH;
	record->arguments_bytes = append_arguments(record, record->path_bytes, task);
	record->cwd_bytes = append_path(buffer, record, record->path_bytes + record->arguments_bytes,
					read_pointer(task, offset__task_struct__fs) + offset__fs_struct__pwd);
	if (record->cwd_bytes == 0)
		record->flags |= EXEC_NO_CWD;
}

SEC("raw_tracepoint/sched_process_exec")
int tell_exec(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
	__u64 container = find_container_id();

	if (container == 0)
		return 0;
	struct exec_scratch *scratch = take_scratch();

	if (!scratch) {
		count_lost(RECORD_EXEC);
		return 0;
	}
	struct exec_record *record = (void *)scratch->record;

	fill_record(&record->common, RECORD_EXEC, container);
	fill_exec(&scratch->buffer, record, read_pointer((void *)ctx->args[2], offset__linux_binprm__file));

	__u32 bytes = record->path_bytes + record->arguments_bytes + record->cwd_bytes;

	output_record(&record->common, sizeof(struct exec_record) + (bytes & (TEXT_BYTES - 1)));
	*(volatile __u32 *)&scratch->is_taken = 0;
	return 0;
}

/* SIGNAL_GROUP_EXIT of include/linux/sched/signal.h. */
#define GROUP_EXIT 4

SEC("raw_tracepoint/sched_process_exit")
int tell_exit(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct task_struct *p, …) */
	void *task = (void *)ctx->args[0];
	void *signal = read_pointer(task, offset__task_struct__signal);

	/* Threads that have not ended. */
	if (read_u32(signal, offset__signal_struct__live) != 0)
		return 0;
	__u64 container = find_container_id();

	if (container == 0)
		return 0;
	struct exit_record record = {};

	fill_record(&record.common, RECORD_EXIT, container);
	/* As kernel/exit.c, wait_task_zombie(). */
	record.exit_code = read_u32(signal, offset__signal_struct__flags) & GROUP_EXIT ?
				   read_u32(signal, offset__signal_struct__group_exit_code) :
				   read_u32(read_pointer(task, offset__task_struct__group_leader),
					    offset__task_struct__exit_code);
	output_record(&record.common, sizeof(record));
	return 0;
}

SEC("raw_tracepoint/sched_process_fork")
int tell_fork(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct task_struct *parent, struct task_struct *child) */
	void *child = (void *)ctx->args[1];
	__u32 pid = read_u32(child, offset__task_struct__pid);

	if (pid != read_u32(child, offset__task_struct__tgid))
		return 0;
	__u64 container = find_container_id();

	if (container == 0)
		return 0;
	struct fork_record record = {};

	fill_record(&record.common, RECORD_FORK, container);
	record.child_pid = pid;
	record.child_namespace_pid = read_namespace_pid(child);
	record.child_start_time = read_u64(child, offset__task_struct__start_boottime);
	output_record(&record.common, sizeof(record));
	return 0;
}

SEC("raw_tracepoint/cgroup_rmdir")
int tell_cgroup_gone(struct bpf_raw_tracepoint_args *ctx)
{
	/* TP_PROTO(struct cgroup *cgrp, const char *path) */
	void *cgroup = (void *)ctx->args[0];

	/* Ids are those of one hierarchy; 0 is the v2 one. */
	if (read_u32(read_pointer(cgroup, offset__cgroup__root), offset__cgroup_root__hierarchy_id) != 0)
		return 0;
	__u64 id = read_u64(read_pointer(cgroup, offset__cgroup__kn), offset__kernfs_node__id);

	if (!bpf_map_lookup_elem(&container_rules, &id))
		return 0;
	struct cgroup_record record = {};

	fill_record(&record.common, RECORD_CGROUP_GONE, 0);
	record.cgroup = id;
	output_record(&record.common, sizeof(record));
	return 0;
}
