/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent writes and the programs read: docs/adr/0022. libs/bpf/src/core/rule-layout.ts has the same layout for
 * TypeScript, and a test compares the two.
 */
#ifndef RULES_H
#define RULES_H

#include <linux/types.h>
#include "facets.h"

/* A rule is one selector of one hook of a policy, with a number from 0 to RULES - 1. */
#define RULE_WORDS 4
#define RULES (RULE_WORDS * 64)

/* Rule n is bit n % 64 of word n / 64. */
struct rule_set {
	__u64 words[RULE_WORDS];
};

/* How many different levels of the cgroup hierarchy can have containers. */
#define LEVELS 8

/* The one entry of the map `current_rules`. */
struct current_rules {
	/* Which of the tables is in force. */
	__u32 version;
	__u32 unused;
	/* Levels at which containers have their root cgroup, the deepest first; 0 ends the list. */
	__u8 levels[LEVELS];
};

/* The table that is not in force is the one that is written. */
#define VERSIONS 2

/* What rules are about, and what they do. A rule with a filter on a facet is in the set of the facet. */
struct rule_table {
	/* In force. */
	struct rule_set active;
	/* Have their effects; the others would have them. */
	struct rule_set enforcing;
	/* An earlier selector of the same hook has the number before this one, in the same word. */
	struct rule_set follows;
	/* About processes in no known container. */
	struct rule_set host;
	/* An event is due. */
	struct rule_set posting;
	/* An event is due at most once in a time. */
	struct rule_set limited;
	/* Send a signal, and those of them whose signal is SIGKILL. */
	struct rule_set signalling;
	struct rule_set killing;
	/* Let the call fail. */
	struct rule_set overriding;
	/* Another one for each table that was in force. */
	__u64 generation;
	/* A bit for each of the sets below that is not empty, in their order. */
	__u64 filtered;
	struct rule_set numbers[NUMBERS];
	struct rule_set masks[NUMBERS];
	struct rule_set texts[TEXTS];
	struct rule_set endings[TEXTS];
	struct rule_set addresses[ADDRESSES];
	/* Match an event without the facet: all their filters on it are negated. */
	struct rule_set absent_numbers[NUMBERS];
	struct rule_set absent_texts[TEXTS];
	struct rule_set absent_addresses[ADDRESSES];
};

/* The place of the first facet of each kind in `filtered`. */
#define FILTERED_NUMBERS 0
#define FILTERED_MASKS NUMBERS
#define FILTERED_TEXTS (2 * NUMBERS)
#define FILTERED_ENDINGS (FILTERED_TEXTS + TEXTS)
#define FILTERED_ADDRESSES (FILTERED_ENDINGS + TEXTS)

/* 1 to 3, then LSM hooks, then functions and tracepoints with the arguments that a policy reads. */
#define HOOK_EXEC 1
#define HOOK_CONNECT 2
#define HOOK_BIND 3
#define FIRST_LSM_HOOK 16
#define FIRST_DYNAMIC_HOOK 256
#define HOOKS 2048

/* Keys of longest-prefix matches. Their length counts the bits of the facet. */
struct number_key {
	__u32 prefix_bits;
	__u8 facet;
	/* The highest byte first. */
	__u8 number[8];
	__u8 unused[3];
};

/* Bytes of a text that a rule can compare: with the facet as many as an LPM trie takes (kernel/bpf/lpm_trie.c). */
#define KEY_TEXT_BYTES 255

/* An exact text is a prefix that includes its terminating zero. For an ending the text is reversed. */
struct text_key {
	__u32 prefix_bits;
	__u8 facet;
	char text[KEY_TEXT_BYTES];
};

/* An IPv4 address is in its IPv6 form, ::ffff:a.b.c.d. */
struct address_key {
	__u32 prefix_bits;
	__u8 facet;
	__u8 address[16];
	__u8 unused[3];
};

#define SCOPE_THREAD 1
#define SCOPE_PROCESS 2
#define SCOPE_GLOBAL 3

struct rule_action {
	/* 0: no signal. */
	__u32 signal;
	/* That the call fails with; 0: it does not. */
	__u32 error;
	/* 0: no limit. */
	__u64 rate_nanoseconds;
	/* SCOPE_… of the limit. */
	__u32 rate_scope;
	/* Another one for each rule that gets the number. */
	__u32 generation;
};

/* Per processor. */
struct rule_count {
	__u64 post;
	__u64 signal;
	__u64 monitor_signal;
	__u64 override;
	__u64 monitor_override;
	__u64 nopost;
};

/* Two texts, each with a zero after it: the key of a rule's owner, and the digest of the rule. */
#define OWNER_BYTES 1024

struct rule_owner {
	char text[OWNER_BYTES];
};

#endif
