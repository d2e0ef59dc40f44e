/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the agent writes and the programs read: docs/adr/0022. libs/bpf/src/core/rule-layout.ts has the same layout for
 * TypeScript, and a test compares the two.
 */
#ifndef RULES_H
#define RULES_H

#include <linux/types.h>

/* A rule is one selector of one policy, with a number from 0 to RULES - 1. */
#define RULE_WORDS 4
#define RULES (RULE_WORDS * 64)

/* Rule n is bit n % 64 of word n / 64. */
struct rule_set {
	__u64 words[RULE_WORDS];
};

/* How many different levels of the cgroup hierarchy can have containers. */
#define LEVELS 8

/* The one entry of the map `enforcement`. */
struct enforcement {
	/* Levels at which containers have their root cgroup, the deepest first; 0 ends the list. */
	__u8 levels[LEVELS];
	/* Rules that are complete in all maps. A rule's bit is set last and cleared first. */
	struct rule_set active;
	/* Rules that deny; the others only count. */
	struct rule_set denying;
	/* Rules about executions. */
	struct rule_set exec;
	/* Rules about connections of stream sockets, and of all others. */
	struct rule_set stream;
	struct rule_set datagram;
	/* Rules about connections to any port. */
	struct rule_set any_port;
};

/* Bytes of a path that a rule can compare: as many as an LPM trie takes (kernel/bpf/lpm_trie.c, LPM_DATA_SIZE_MAX). */
#define PATH_BYTES 256

/* An exact path is a prefix that includes its terminating zero. */
struct path_key {
	__u32 prefix_bits;
	char path[PATH_BYTES];
};

/* An IPv4 address is in its IPv6 form, ::ffff:a.b.c.d. */
struct address_key {
	__u32 prefix_bits;
	__u8 address[16];
};

/* Per processor. */
struct rule_count {
	__u64 matched;
	__u64 denied;
};

#endif
