/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which of the candidates match the facts of an event: one lookup for each facet that they filter on. */
#ifndef JUDGE_H
#define JUDGE_H

#include "event-texts.h"
#include "rule-maps.h"
#include "rule-sets.h"
#include "task.h"

static __always_inline int is_filtered(const struct rule_table *table, __u32 bit)
{
	return *(const volatile __u64 *)&table->filtered >> bit & 1;
}

/* Leaves those that do not filter on the facet, and those that match. `matching`: 0 for none. */
static __always_inline void keep_matching(struct event *event, const struct rule_set *filtering,
					  const struct rule_set *matching)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		event->candidates.words[at] &= ~filtering->words[at] | (matching ? matching->words[at] : 0);
}

static __always_inline void copy_rules(struct rule_set *to, const struct rule_set *from)
{
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++)
		to->words[at] = from ? from->words[at] : 0;
}

/* Facts that are looked up for those rules only that ask for them. */
static __always_inline void find_process_ids(struct event *event, const struct rule_table *table)
{
	if (has_common(&event->candidates, &table->numbers[NUMBER_PID]))
		set_number(event, NUMBER_PID, read_u32((void *)bpf_get_current_task(), offset__task_struct__tgid));
	if (has_common(&event->candidates, &table->numbers[NUMBER_NAMESPACE_PID]))
		set_number(event, NUMBER_NAMESPACE_PID, read_namespace_pid((void *)bpf_get_current_task()));
}

static __always_inline void judge_numbers(struct event *event, const struct rule_table *table)
{
	struct number_key *key = &event->number_key;

	for (__u32 facet = 0; facet < NUMBERS; facet++) {
		const struct rule_set *filtering = &table->numbers[facet];

		if (!is_filtered(table, FILTERED_NUMBERS + facet) || !has_common(&event->candidates, filtering))
			continue;
		if (!(event->record.known_numbers >> facet & 1)) {
			keep_matching(event, filtering, &table->absent_numbers[facet]);
			continue;
		}
		__u64 value = __builtin_bswap64(event->record.numbers[facet]);

		key->prefix_bits = 72;
		key->facet = facet;
		__builtin_memcpy(key->number, &value, sizeof(value));
		keep_matching(event, filtering, bpf_map_lookup_elem(&number_filters, key));
	}
}

static __always_inline void judge_masks(struct event *event, const struct rule_table *table)
{
	for (__u32 facet = 0; facet < NUMBERS; facet++) {
		const struct rule_set *filtering = &table->masks[facet];

		if (!is_filtered(table, FILTERED_MASKS + facet) || !has_common(&event->candidates, filtering))
			continue;
		/* The rules that no bit has matched: in the end they are taken away. */
		event->left = *filtering;
		__u64 value = event->record.known_numbers >> facet & 1 ? event->record.numbers[facet] : 0;

		for (__u32 bit = 0; bit < 64; bit++) {
			__u32 key = facet * 64 + bit;
			struct rule_set *found = bpf_map_lookup_elem(&mask_filters, &key);
			/* All bits or none, without a branch: the verifier would follow both sides for each bit. */
			__u64 is_set = -(value >> bit & 1);

			if (!found)
				continue;
#pragma unroll
			for (int at = 0; at < RULE_WORDS; at++)
				event->left.words[at] &= ~(found->words[at] & is_set);
		}
		take_away(&event->candidates, &event->left);
	}
}

/* Fills the key with the last bytes of the text, in reverse. What is before them is behind the end of the key. */
static __always_inline void reverse_text(struct event *event, const char *text, __u32 length)
{
	bpf_probe_read_kernel(event->tail, TAIL_BYTES, text + length - TAIL_BYTES);
#pragma unroll
	for (int at = 0; at + 8 < TAIL_BYTES; at += 8)
		*(__u64 *)(event->text_key.text + at) =
			__builtin_bswap64(*(__u64 *)(event->tail + TAIL_BYTES - 8 - at));
#pragma unroll
	for (int at = TAIL_BYTES - 8; at < KEY_TEXT_BYTES; at++)
		event->text_key.text[at] = event->tail[TAIL_BYTES - 1 - at];
}

static __always_inline void set_key_bytes(struct event *event, __u32 facet, __u32 bytes)
{
	if (bytes > KEY_TEXT_BYTES)
		bytes = KEY_TEXT_BYTES;
	event->text_key.prefix_bits = 8 + bytes * 8;
	event->text_key.facet = facet;
}

/*
 * The first zero of a buffer is not the end that an exact text has: in its place comes a byte that no rule has, since there
 * is none such in UTF-8. What is behind it is then compared with nothing.
 */
static __always_inline void hide_zero(struct event *event, const char *text, __u32 length)
{
	__u32 at = bpf_probe_read_kernel_str(event->tail, TAIL_BYTES, text) - 1;

	if (at < length && at < KEY_TEXT_BYTES)
		event->text_key.text[at] = 0xff;
}

/* The rules that match the text; 0 for none. `length`: without the zero behind it. */
static __always_inline struct rule_set *find_text(struct event *event, __u32 facet, const char *text, __u32 length)
{
	set_key_bytes(event, facet, length + 1);
	/* Read like any memory of the kernel: the verifier need not know where in the event it is. */
	bpf_probe_read_kernel(event->text_key.text, KEY_TEXT_BYTES, text);
	if (facet < ARGUMENTS && event->buffers >> facet & 1)
		hide_zero(event, text, length);
	return bpf_map_lookup_elem(&text_filters, &event->text_key);
}

static __always_inline struct rule_set *find_ending(struct event *event, __u32 facet, const char *text, __u32 length)
{
	set_key_bytes(event, facet, length);
	reverse_text(event, text, length);
	return bpf_map_lookup_elem(&text_endings, &event->text_key);
}

/* They stay candidates: what cannot be known must neither be a way around a rule, nor an exception from the next one. */
static __always_inline void add_doubtful(struct event *event, const struct rule_set *filtering)
{
	add_rules(&event->doubtful, filtering);
}

/*
 * Of a text that is cut. `matching`: the rules that match it if it ends where it is cut; those that match it if it goes on
 * match, too, and those of one of the two only are doubtful.
 */
static __always_inline void keep_matching_cut(struct event *event, __u32 facet, const struct rule_set *filtering,
					      const struct rule_set *matching, __u32 length)
{
	struct rule_set *either = &event->left;

	copy_rules(either, matching);
	set_key_bytes(event, facet, length);
	matching = bpf_map_lookup_elem(&text_filters, &event->text_key);
#pragma unroll
	for (int at = 0; at < RULE_WORDS; at++) {
		__u64 word = matching ? matching->words[at] : 0;

		event->doubtful.words[at] |= (either->words[at] ^ word) & filtering->words[at];
		either->words[at] |= word;
	}
	keep_matching(event, filtering, either);
}

static __always_inline void judge_texts(struct event *event, const struct rule_table *table)
{
	for (__u32 facet = 0; facet < ARGUMENTS; facet++) {
		const struct rule_set *filtering = &table->texts[facet];
		struct record_text text = event->record.texts[facet];

		if (!is_filtered(table, FILTERED_TEXTS + facet) || !has_common(&event->candidates, filtering))
			continue;
		if (event->uncertain_texts >> facet & 1) {
			add_doubtful(event, filtering);
			continue;
		}
		if (text.start == NO_TEXT) {
			keep_matching(event, filtering, &table->absent_texts[facet]);
			continue;
		}
		const struct rule_set *matching =
			find_text(event, facet, event->record.text + text.start, text.length);

		if (event->cut_texts >> facet & 1)
			keep_matching_cut(event, facet, filtering, matching, text.length);
		else
			keep_matching(event, filtering, matching);
	}
}

static __always_inline void judge_endings(struct event *event, const struct rule_table *table)
{
	for (__u32 facet = 0; facet < ARGUMENTS; facet++) {
		const struct rule_set *filtering = &table->endings[facet];
		struct record_text text = event->record.texts[facet];

		if (!is_filtered(table, FILTERED_ENDINGS + facet) || !has_common(&event->candidates, filtering))
			continue;
		if ((event->uncertain_texts | event->cut_texts) >> facet & 1) {
			add_doubtful(event, filtering);
			continue;
		}
		if (text.start == NO_TEXT) {
			keep_matching(event, filtering, &table->absent_texts[facet]);
			continue;
		}
		keep_matching(event, filtering,
			      find_ending(event, facet, event->record.text + text.start, text.length));
	}
}

static __always_inline void judge_addresses(struct event *event, const struct rule_table *table)
{
	for (__u32 facet = 0; facet < ADDRESSES; facet++) {
		if (!is_filtered(table, FILTERED_ADDRESSES + facet) ||
		    !has_common(&event->candidates, &table->addresses[facet]))
			continue;
		if (!(event->record.known_addresses >> facet & 1)) {
			keep_matching(event, &table->addresses[facet], &table->absent_addresses[facet]);
			continue;
		}
		struct address_key *key = &event->address_key;

		key->prefix_bits = 136;
		key->facet = facet;
		__builtin_memcpy(key->address, event->record.addresses[facet], sizeof(key->address));
		keep_matching(event, &table->addresses[facet], bpf_map_lookup_elem(&address_filters, key));
	}
}

static __always_inline int is_binary_filtered(const struct event *event, const struct rule_table *table)
{
	return has_common(&event->candidates, &table->texts[TEXT_BINARY]) ||
	       has_common(&event->candidates, &table->endings[TEXT_BINARY]);
}

static __always_inline void keep_matching_binary(struct event *event, const struct rule_table *table,
						 const struct rule_set *texts, const struct rule_set *endings)
{
	keep_matching(event, &table->texts[TEXT_BINARY], texts);
	keep_matching(event, &table->endings[TEXT_BINARY], endings);
}

/* Looks up the path of event->binary; 0 if it cannot be known. */
static __always_inline int find_binary(struct event *event, struct known_binary *known)
{
	struct known_binary *binary = &event->binary;

	if (!find_path(event, (const void *)binary->of.file + offset__file__f_path))
		return 0;
	const char *text = event->path.text + (event->path.start & (PATH_BUFFER - 1));
	__u32 length = PATH_BUFFER - event->path.start;

	copy_rules(&binary->texts, find_text(event, TEXT_BINARY, text, length));
	copy_rules(&binary->endings, find_ending(event, TEXT_BINARY, text, length));
	if (known)
		write_known_binary(known, binary);
	return 1;
}

/* By the answer for an earlier event, if there is one. */
static __always_inline void judge_binary(struct event *event, const struct rule_table *table)
{
	const struct rule_set *absent = &table->absent_texts[TEXT_BINARY];
	struct known_binary *binary = &event->binary;

	if (!is_binary_filtered(event, table))
		return;
	if (!read_running_binary(&binary->of, table->generation)) {
		keep_matching_binary(event, table, absent, absent);
		return;
	}
	struct known_binary *known = find_known_binary(binary->of.task);

	if ((known && read_known_binary(binary, known)) || find_binary(event, known)) {
		keep_matching_binary(event, table, &binary->texts, &binary->endings);
	} else {
		add_doubtful(event, &table->texts[TEXT_BINARY]);
		add_doubtful(event, &table->endings[TEXT_BINARY]);
	}
}

/*
 * Cheapest first, but for the executable: here the verifier examines the way to its path once, and after the loops for each
 * way out of them. Leaves the candidates that match and that no earlier selector of their hook takes the event from.
 */
static __always_inline void judge_event(struct event *event, const struct rule_table *table)
{
	if (table->filtered != 0) {
		judge_binary(event, table);
		find_process_ids(event, table);
		judge_numbers(event, table);
		judge_addresses(event, table);
		judge_masks(event, table);
		judge_texts(event, table);
		judge_endings(event, table);
	}
	keep_first_of_groups(&event->candidates, &table->follows, &event->doubtful);
}

#endif
