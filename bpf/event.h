/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The engine: which rules match an event, and what they do. A program begins an event for its hook, sets the facts that it
 * has, and finishes it:
 *
 *	struct event *event = begin_event(HOOK_EXEC);
 *
 *	if (!event)
 *		return 0;
 *	set_path(event, TEXT_ARGUMENT + 0, path);
 *	return to_lsm_result(finish_event(event, DENIES_BY_ERROR, 1));
 *
 * A fact that is not set is absent: no filter on it matches but negated ones.
 */
#ifndef EVENT_H
#define EVENT_H

#include "act.h"
#include "containers.h"
#include "event-texts.h"
#include "judge.h"
#include "rule-maps.h"
#include "rule-sets.h"

/* Per processor. A kernel may stop a program in the middle and run another one on the same processor. */
#define EVENTS 8

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EVENTS);
	__type(key, __u32);
	__type(value, struct event);
} event_scratch SEC(".maps");

/* 0 if all are taken. */
static __always_inline struct event *take_event(void)
{
	/* Unrolled, since Linux 6.1 does not know the value of a counter that is on the stack. */
#pragma unroll
	for (int at = 0; at < EVENTS; at++) {
		__u32 key = at;
		struct event *event = bpf_map_lookup_elem(&event_scratch, &key);

		if (event && __sync_val_compare_and_swap(&event->is_taken, 0, 1) == 0)
			return event;
	}
	return 0;
}

/* The rules in force that can match at this hook in this process, and their table; 0 if there are none. */
static __always_inline const struct rule_table *find_candidates(__u32 hook, struct rule_set *candidates,
								__u32 *version, __u64 *container)
{
	struct current_rules *current = find_current();
	struct rule_set *of_hook = bpf_map_lookup_elem(&hook_rules, &hook);

	if (!current || !of_hook)
		return 0;
	/* Read once: the table with this number is complete, and is not written while a program may use it. */
	*version = *(volatile __u32 *)&current->version;
	struct rule_table *table = bpf_map_lookup_elem(&rule_tables, version);

	if (!table)
		return 0;
	*candidates = table->active;
	keep_common(candidates, of_hook);
	if (is_empty(candidates))
		return 0;
	struct rule_set *of_container = find_container(current, container);

	keep_common(candidates, of_container ? of_container : &table->host);
	return is_empty(candidates) ? 0 : table;
}

/* Whether any rule in force is about the current process. */
static __always_inline int has_rules(void)
{
	struct current_rules *current = find_current();
	__u32 version = current ? *(volatile __u32 *)&current->version : 0;
	struct rule_table *table = bpf_map_lookup_elem(&rule_tables, &version);
	__u64 container = 0;

	if (!current || !table)
		return 0;
	struct rule_set *rules = find_container(current, &container);

	return has_common(rules ? rules : &table->host, &table->active);
}

/* Where all events are taken: what cannot be judged must not be a way around a rule. */
static __always_inline struct event *begin_unseen(struct rule_set *candidates, const struct rule_table *table)
{
	count_lost(RECORD_MATCH);
	keep_common(candidates, &table->enforcing);
	return has_common(candidates, &table->overriding) || has_common(candidates, &table->killing) ? UNSEEN_EVENT : 0;
}

/* 0: no rule can match. */
static __always_inline struct event *begin_event(__u32 hook)
{
	struct rule_set candidates;
	__u32 version = 0;
	__u64 container = 0;

	const struct rule_table *table = find_candidates(hook, &candidates, &version, &container);

	if (!table)
		return 0;
	struct event *event = take_event();

	if (!event)
		return begin_unseen(&candidates, table);
	event->version = version;
	event->candidates = candidates;
	__builtin_memset(&event->doubtful, 0, sizeof(event->doubtful));
	event->uncertain_texts = 0;
	event->cut_texts = 0;
	event->buffers = 0;
	event->used = 0;
	event->error = 0;
	event->record.common.container = container;
	event->record.hook = hook;
	event->record.flags = 0;
	__builtin_memset(&event->record.rules, 0, sizeof(event->record.rules));
	__builtin_memset(&event->record.enforced, 0, sizeof(event->record.enforced));
	event->record.known_numbers = 0;
	event->record.known_addresses = 0;
#pragma unroll
	for (int at = 0; at < ARGUMENTS; at++)
		event->record.texts[at].start = NO_TEXT;
	return event;
}

/* Judges, acts, writes the record, releases. 0, or the error to deny with. The last two: constants. */
static __always_inline int finish_event(struct event *event, int can_deny, int can_signal)
{
	if (!has_memory(event)) {
		if (can_signal && can_deny != DENIES_BY_ERROR)
			bpf_send_signal(SIGKILL);
		return can_deny == DENIES_BY_ERROR ? EPERM : 0;
	}
	struct rule_table *table = bpf_map_lookup_elem(&rule_tables, &event->version);

	if (table) {
		judge_event(event, table);
		if (!is_empty(&event->candidates))
			act_on_event(event, table, can_deny, can_signal);
	}
	int error = event->error;

	*(volatile __u32 *)&event->is_taken = 0;
	return error;
}

/* What an LSM program returns. By a subtraction, whose bounds every verifier knows: Linux 6.12 demands them. */
static __always_inline long to_lsm_result(int error)
{
	long result = 0;
	long number = error & 4095;

	asm volatile("%0 -= %1" : "+r"(result) : "r"(number));
	return result;
}

#endif
