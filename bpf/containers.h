/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which known container the current process belongs to. */
#ifndef CONTAINERS_H
#define CONTAINERS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "rules.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct current_rules);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} current_rules SEC(".maps");

/* By the id of a container's root cgroup: the rules about it. Each known container is here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} container_rules SEC(".maps");

static __always_inline struct current_rules *find_current(void)
{
	__u32 zero = 0;
	/* The verifier makes this an address, and no call. */
	return bpf_map_lookup_elem(&current_rules, &zero);
}

/*
 * The rules of the nearest container, by whichever cgroup below the container's, and the id of its root cgroup. 0 for a
 * process in no known container.
 */
static __always_inline struct rule_set *find_container(const struct current_rules *current, __u64 *container)
{
#pragma unroll
	for (int at = 0; at < LEVELS; at++) {
		__u8 level = *(volatile __u8 *)&current->levels[at];

		if (level == 0)
			return 0;
		/* 0 for a level that is deeper than the process. No cgroup has this id. */
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);
		struct rule_set *found = id == 0 ? 0 : bpf_map_lookup_elem(&container_rules, &id);

		if (found) {
			*container = id;
			return found;
		}
	}
	return 0;
}

/* The id of the root cgroup of that container; 0 for a process in no known one. */
static __always_inline __u64 find_container_id(void)
{
	struct current_rules *current = find_current();
	__u64 container = 0;

	if (current)
		find_container(current, &container);
	return container;
}

#endif
