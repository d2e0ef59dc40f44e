/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What matching rules do: signals, errors, counts, and the record. */
#ifndef ACT_H
#define ACT_H

#include "event-texts.h"
#include "rule-maps.h"
#include "rule-sets.h"
#include "task.h"

#define EPERM 1
#define SIGKILL 9

/* How a program denies. */
#define CANNOT_DENY 0
/* It returns an error, and the call fails. */
#define DENIES_BY_ERROR 1
/* It kills the process, which has not done anything yet. */
#define DENIES_BY_KILL 2

struct rate_key {
	__u32 rule;
	__u32 generation;
	/* Thread or process; 0 for all. */
	__u64 scope;
};

/* When the last record of a rule was due. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct rate_key);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} rule_rates SEC(".maps");

/* Whether the limit of the rule leaves room for one more record. Of two at the same time one has it. */
static __always_inline int take_rate(const struct rule_action *action, __u32 rule)
{
	struct rate_key key = { .rule = rule, .generation = action->generation };
	void *task = (void *)bpf_get_current_task();
	__u64 now = bpf_ktime_get_boot_ns();

	if (action->rate_scope == SCOPE_THREAD)
		key.scope = read_u32(task, offset__task_struct__pid);
	else if (action->rate_scope == SCOPE_PROCESS)
		key.scope = read_u32(task, offset__task_struct__tgid);
	__u64 *last = bpf_map_lookup_elem(&rule_rates, &key);

	if (!last)
		return bpf_map_update_elem(&rule_rates, &key, &now, BPF_NOEXIST) == 0;
	__u64 before = *last;

	/* Another processor may have set a later time since. */
	return now > before && now - before >= action->rate_nanoseconds && __sync_val_compare_and_swap(last, before, now) == before;
}

/* Takes the lowest rule out of event->left, which is not empty. */
static __always_inline __u32 take_rule(struct event *event)
{
	*(volatile __u32 *)&event->opaque = find_first(&event->left);
	__u32 rule = *(volatile __u32 *)&event->opaque & (RULES - 1);

	remove_rule(&event->left, rule);
	return rule;
}

/* Leaves in record.rules those that have room in their limit. */
static __always_inline void limit_records(struct event *event, const struct rule_table *table)
{
	event->left = event->record.rules;
	keep_common(&event->left, &table->limited);
	for (int turn = 0; turn < RULES && !is_empty(&event->left); turn++) {
		__u32 rule = take_rule(event);
		struct rule_action *action = bpf_map_lookup_elem(&rule_actions, &rule);

		if (action && !take_rate(action, rule))
			remove_rule(&event->record.rules, rule);
	}
}

/* Atomic: another program may interrupt this one on its processor. */
static __always_inline void add_count(__u64 *count, __u64 number)
{
	__sync_fetch_and_add(count, number);
}

static __always_inline void count_match(struct event *event, const struct rule_table *table, __u32 rule)
{
	struct rule_count *count = bpf_map_lookup_elem(&rule_counts, &rule);
	__u64 posts = has_rule(&event->record.rules, rule);
	__u64 enforces = has_rule(&table->enforcing, rule);
	__u64 signals = has_rule(&table->signalling, rule);
	__u64 overrides = has_rule(&table->overriding, rule);

	if (!count)
		return;
	add_count(&count->post, posts);
	add_count(&count->nopost, posts ^ 1);
	add_count(&count->signal, signals & enforces);
	add_count(&count->monitor_signal, signals & (enforces ^ 1));
	add_count(&count->override, overrides & enforces);
	add_count(&count->monitor_override, overrides & (enforces ^ 1));
}

static __always_inline void add_enforced(struct event *event, const struct rule_set *rules, __u32 flag)
{
	event->record.flags |= flag;
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		event->record.enforced.words[at] |= event->effective.words[at] & rules->words[at];
}

/* The error of the lowest rule that has one; EPERM where only the process would be killed. */
static __always_inline void choose_error(struct event *event, const struct rule_table *table)
{
	event->left = event->effective;
	keep_common(&event->left, &table->overriding);
	if (!is_empty(&event->left)) {
		__u32 rule = find_first(&event->left) & (RULES - 1);
		struct rule_action *action = bpf_map_lookup_elem(&rule_actions, &rule);

		event->error = action ? action->error : EPERM;
		add_enforced(event, &table->overriding, MATCH_DENIED);
	}
	if (has_common(&event->effective, &table->killing)) {
		if (event->error == 0)
			event->error = EPERM;
		add_enforced(event, &table->killing, MATCH_DENIED);
	}
}

/* For rules whose signal is SIGKILL, and for those that deny where that is how. */
static __always_inline void kill_process(struct event *event, const struct rule_table *table, int can_deny)
{
	event->kills = table->killing;
	if (can_deny == DENIES_BY_KILL)
		add_rules(&event->kills, &table->overriding);
	if (has_common(&event->effective, &event->kills) && bpf_send_signal(SIGKILL) == 0)
		add_enforced(event, &event->kills, MATCH_SIGNALLED);
}

/* A signal other than SIGKILL. */
static __always_inline void send_signal(struct event *event, __u32 rule)
{
	struct rule_action *action = bpf_map_lookup_elem(&rule_actions, &rule);

	if (!action || bpf_send_signal(action->signal) != 0)
		return;
	event->record.flags |= MATCH_SIGNALLED;
	add_rule(&event->record.enforced, rule);
}

/* In one loop: the verifier examines each turn of each loop. */
static __always_inline void count_and_signal(struct event *event, const struct rule_table *table, int can_signal)
{
	event->signals = event->effective;
	keep_common(&event->signals, &table->signalling);
	take_away(&event->signals, &table->killing);
	event->left = event->candidates;
	for (int turn = 0; turn < RULES && !is_empty(&event->left); turn++) {
		__u32 rule = take_rule(event);

		count_match(event, table, rule);
		if (can_signal && has_rule(&event->signals, rule))
			send_signal(event, rule);
	}
}

static __always_inline void output_match(struct event *event)
{
	__u32 used = event->used;

	if (used > ARGUMENTS * TEXT_BYTES)
		used = ARGUMENTS * TEXT_BYTES;
	fill_record(&event->record.common, RECORD_MATCH, event->record.common.container);
	output_record(&event->record.common, __builtin_offsetof(struct match_record, text) + used);
}

static __always_inline void act_on_event(struct event *event, const struct rule_table *table, int can_deny,
					 int can_signal)
{
	event->record.rules = event->candidates;
	keep_common(&event->record.rules, &table->posting);
	if (has_common(&event->record.rules, &table->limited))
		limit_records(event, table);
	event->effective = event->candidates;
	keep_common(&event->effective, &table->enforcing);
	if (can_deny == DENIES_BY_ERROR)
		choose_error(event, table);
	/* Before other signals: where the kernel cannot send two from one program, the first is sent. */
	if (can_signal)
		kill_process(event, table, can_deny);
	count_and_signal(event, table, can_signal);
	if (!is_empty(&event->record.rules))
		output_match(event);
}

#endif
