/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
#ifndef RULE_SETS_H
#define RULE_SETS_H

#include "rules.h"

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

static __always_inline int has_common(const struct rule_set *set, const struct rule_set *other)
{
	__u64 any = 0;

#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		any |= set->words[at] & other->words[at];
	return any != 0;
}

static __always_inline __u64 has_rule(const struct rule_set *set, __u32 rule)
{
	return set->words[(rule / 64) & (RULE_WORDS - 1)] >> (rule & 63) & 1;
}

static __always_inline void remove_rule(struct rule_set *set, __u32 rule)
{
	set->words[(rule / 64) & (RULE_WORDS - 1)] &= ~(1ULL << (rule & 63));
}

static __always_inline void add_rule(struct rule_set *set, __u32 rule)
{
	set->words[(rule / 64) & (RULE_WORDS - 1)] |= 1ULL << (rule & 63);
}

static __always_inline void add_rules(struct rule_set *set, const struct rule_set *other)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		set->words[at] |= other->words[at];
}

static __always_inline void take_away(struct rule_set *set, const struct rule_set *other)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		set->words[at] &= ~other->words[at];
}

/* How many bits are set. Without branches, each of which would double what the verifier examines. */
static __always_inline __u32 count_bits(__u64 word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return word * 0x0101010101010101 >> 56;
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
	/* Below the lowest bit all are 0. */
	return at + count_bits((word & -word) - 1);
}

/*
 * Leaves of each group, which is a rule and those that follow it, the lowest rule; of `doubtful` ones also the next.
 * `blocked`: an earlier one of the group is in the set. Each step of the loop goes twice as far, over rules without a gap
 * between groups.
 */
static __always_inline void keep_first_of_groups(struct rule_set *set, const struct rule_set *follows,
						 const struct rule_set *doubtful)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++) {
		__u64 passable = follows->words[at];
		__u64 blocked = ((set->words[at] & ~doubtful->words[at]) << 1) & passable;

#pragma unroll
		for (int step = 1; step < 64; step *= 2) {
			blocked |= (blocked << step) & passable;
			passable &= passable << step;
		}
		set->words[at] &= ~blocked;
	}
}

#endif
