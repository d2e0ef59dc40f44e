/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps that all programs share, and which rules are about the current process. */
#ifndef CONTAINERS_H
#define CONTAINERS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "rules.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct enforcement);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} enforcement SEC(".maps");

/* By the id of a container's root cgroup. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} container_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RULES);
	__type(key, __u32);
	__type(value, struct rule_count);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_counts SEC(".maps");

static __always_inline struct enforcement *find_enforcement(void)
{
	__u32 zero = 0;
	/* The verifier makes this an address, and no call. */
	return bpf_map_lookup_elem(&enforcement, &zero);
}

/* The rules of the container that the current process belongs to, by whichever cgroup below the container's. */
static __always_inline struct rule_set *find_container_rules(struct enforcement *now)
{
#pragma unroll
	for (int at = 0; at < LEVELS; at++) {
		__u8 level = *(volatile __u8 *)&now->levels[at];

		if (level == 0)
			return 0;
		/* 0 for a level that is deeper than the process. No cgroup has this id. */
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);
		struct rule_set *found = id == 0 ? 0 : bpf_map_lookup_elem(&container_rules, &id);

		if (found)
			return found;
	}
	return 0;
}

/* The id of the root cgroup of that container; 0 for a process in no known one. */
static __always_inline __u64 find_container_id(void)
{
	struct enforcement *now = find_enforcement();

	if (!now)
		return 0;
#pragma unroll
	for (int at = 0; at < LEVELS; at++) {
		__u8 level = *(volatile __u8 *)&now->levels[at];

		if (level == 0)
			return 0;
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (id != 0 && bpf_map_lookup_elem(&container_rules, &id))
			return id;
	}
	return 0;
}

static __always_inline void keep_common(struct rule_set *set, const struct rule_set *other)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		set->words[at] &= other->words[at];
}

static __always_inline int is_empty(const struct rule_set *set)
{
	__u64 any = 0;

#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		any |= set->words[at];
	return any == 0;
}

/* The lowest rule of a set that is not empty. */
static __always_inline __u32 find_first(const struct rule_set *set)
{
	__u32 at = 0;
	__u64 word = set->words[0];

#pragma unroll
	for (int next = 1; next < RULE_WORDS; next++) {
		if (word == 0) {
			word = set->words[next];
			at = next * 64;
		}
	}
#pragma unroll
	for (int half = 32; half > 0; half /= 2) {
		if ((word & ((1ULL << half) - 1)) == 0) {
			word >>= half;
			at += half;
		}
	}
	return at;
}

/* Whether one of the matched rules denies. Counts the rule that decides. */
static __always_inline int is_denied(struct enforcement *now, const struct rule_set *matched)
{
	struct rule_set denying = *matched;

	keep_common(&denying, &now->denying);
	int denied = !is_empty(&denying);
	__u32 rule = find_first(denied ? &denying : matched);
	struct rule_count *count = bpf_map_lookup_elem(&rule_counts, &rule);

	if (count) {
		count->matched++;
		count->denied += denied;
	}
	return denied;
}

#endif
