/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps of rules: docs/adr/0022. Bits of a rule that is in no table in force mean nothing. */
#ifndef RULE_MAPS_H
#define RULE_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "containers.h"
#include "rules.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VERSIONS);
	__type(key, __u32);
	__type(value, struct rule_table);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_tables SEC(".maps");

/* By the hook's id: rules about it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOOKS);
	__type(key, __u32);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} hook_rules SEC(".maps");

#define PREFIX_MAP(name, key_type)                                                                                     \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                                                   \
		__uint(max_entries, 16384);                                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                                  \
		__type(key, struct key_type);                                                                          \
		__type(value, struct rule_set);                                                                        \
		__uint(pinning, LIBBPF_PIN_BY_NAME);                                                                   \
	} name SEC(".maps")

PREFIX_MAP(number_filters, number_key);
PREFIX_MAP(text_filters, text_key);
PREFIX_MAP(text_endings, text_key);
PREFIX_MAP(address_filters, address_key);

/* By facet * 64 + bit: rules whose mask has the bit. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NUMBERS * 64);
	__type(key, __u32);
	__type(value, struct rule_set);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} mask_filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULES);
	__type(key, __u32);
	__type(value, struct rule_action);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_actions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, RULES);
	__type(key, __u32);
	__type(value, struct rule_count);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_counts SEC(".maps");

/* For the agent alone: what the rule belongs to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RULES);
	__type(key, __u32);
	__type(value, struct rule_owner);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_owners SEC(".maps");

#endif
