/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The scratch of an event, and its facts. */
#ifndef EVENT_TEXTS_H
#define EVENT_TEXTS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "binary.h"
#include "events.h"
#include "path.h"
#include "rule-sets.h"
#include "rules.h"

/* Of a text, with its terminating zero: as much as the longest path has. */
#define TEXT_BYTES 4096
#define TAIL_BYTES 256

/*
 * What is known of an event, while it is judged. In the memory of a map: there is no room for it on the stack, and in
 * registers the verifier would examine each step again for every value that it finds possible.
 */
struct event {
	__u32 is_taken;
	/* Of the rule table that was in force when the event began. */
	__u32 version;
	/* The rules that can still match. */
	struct rule_set candidates;
	/* Those that a loop has not come to. */
	struct rule_set left;
	/* Those that match and are not only counted. */
	struct rule_set effective;
	struct rule_set kills;
	struct rule_set signals;
	/* Those with a filter that matches only because the text cannot be known. */
	struct rule_set doubtful;
	/* Bit n: text n. It cannot be known, so that every filter on it matches. */
	__u32 uncertain_texts;
	/* Only its beginning is known, so that every ending matches. */
	__u32 cut_texts;
	/* It may have zeros in it. */
	__u32 buffers;
	/* Place of the next text. */
	__u32 used;
	/* That the call fails with, or 0. */
	__u32 error;
	/* What the verifier must not know the value of, so that it does not follow each one by itself. */
	__u32 opaque;
	struct known_binary binary;
	struct path_buffer path;
	struct text_key text_key;
	/* The last bytes of a text. */
	char tail[TAIL_BYTES];
	struct number_key number_key;
	struct address_key address_key;
	union {
		struct match_record record;
		/* The texts are a part of the record. */
		char room[sizeof(struct match_record) + ARGUMENTS * TEXT_BYTES];
	};
};

/* In the place of an event that there is no memory for: a rule denies it without a look at its facts. */
#define UNSEEN_EVENT ((struct event *)1)

static __always_inline int has_memory(const struct event *event)
{
	return event != UNSEEN_EVENT;
}

static __always_inline void set_number(struct event *event, __u32 facet, __u64 value)
{
	if (!has_memory(event) || facet >= NUMBERS)
		return;
	event->record.numbers[facet] = value;
	event->record.known_numbers |= 1 << facet;
}

/* `ipv6`: 16 bytes, not in user memory. */
static __always_inline void set_address(struct event *event, __u32 facet, const void *ipv6)
{
	if (!has_memory(event) || facet >= ADDRESSES)
		return;
	bpf_probe_read_kernel(event->record.addresses[facet], sizeof(event->record.addresses[facet]), ipv6);
	event->record.known_addresses |= 1 << facet;
}

/* Where the next text begins. Each has room, if none is set twice. */
static __always_inline __u32 find_room(const struct event *event)
{
	__u32 at = *(const volatile __u32 *)&event->used;

	return at > (ARGUMENTS - 1) * TEXT_BYTES ? (ARGUMENTS - 1) * TEXT_BYTES : at;
}

/* `length`: without the terminating zero. */
static __always_inline void end_text(struct event *event, __u32 facet, __u32 at, __u32 length)
{
	struct record_text text = { .start = at, .length = length };

	if (facet < ARGUMENTS) {
		event->record.texts[facet] = text;
		event->used = at + length + 1;
	}
}

/*
 * `got`: what the helper returned. Less room than TEXT_BYTES is that of a field in the kernel's record of an event: the
 * text in it is complete, also one that fills it.
 */
static __always_inline void end_string(struct event *event, __u32 argument, __u32 at, long got)
{
	/* Unreadable: the event does not have the text. */
	if (got <= 0 || got > TEXT_BYTES)
		return;
	if (got == TEXT_BYTES)
		event->cut_texts |= 1 << argument;
	end_text(event, argument, at, got - 1);
}

/* A text with a zero at its end. `bytes`: with the zero, at most TEXT_BYTES; a text that is longer is cut. */
static __always_inline void set_text_from_user(struct event *event, __u32 argument, const void *text, __u32 bytes)
{
	if (!has_memory(event) || argument >= ARGUMENTS)
		return;
	__u32 at = find_room(event);

	if (bytes > TEXT_BYTES)
		bytes = TEXT_BYTES;
	end_string(event, argument, at, bpf_probe_read_user_str(&event->record.text[at], bytes, text));
}

static __always_inline void set_text_from_kernel(struct event *event, __u32 argument, const void *text, __u32 bytes)
{
	if (!has_memory(event) || argument >= ARGUMENTS)
		return;
	__u32 at = find_room(event);

	if (bytes > TEXT_BYTES)
		bytes = TEXT_BYTES;
	end_string(event, argument, at, bpf_probe_read_kernel_str(&event->record.text[at], bytes, text));
}

/* Of the smallest pages. */
#define PAGE_BYTES 4096

/* Below TEXT_BYTES, so that the verifier sees it: of a mask in C the compiler keeps only what can change the number. */
static __always_inline __u64 bound(__u64 bytes)
{
	asm volatile("%0 &= %1" : "+r"(bytes) : "i"(TEXT_BYTES - 1));
	return bytes;
}

/*
 * Reads what there is room for, or else what is in the first page: of so few bytes there are two pages at most. How many
 * bytes it has read; negative if there are none.
 */
static __always_inline __s64 read_buffer(char *to, const void *buffer, __u64 length)
{
	__u64 bytes = bound(length > TEXT_BYTES - 1 ? TEXT_BYTES - 1 : length);

	if (bpf_probe_read_user(to, bytes, buffer) == 0)
		return bytes;
	__u64 in_page = PAGE_BYTES - ((__u64)buffer & (PAGE_BYTES - 1));

	if (in_page >= bytes)
		return -1;
	bytes = bound(in_page);
	return bpf_probe_read_user(to, bytes, buffer) == 0 ? (__s64)bytes : -1;
}

/*
 * A buffer of this length, which is its number, and which may have zeros in it. One is cut of which not all has been read:
 * there is no room for it, or it goes on in memory that cannot be read.
 */
static __always_inline void set_buffer_from_user(struct event *event, __u32 argument, const void *buffer, __u64 length)
{
	if (!has_memory(event) || argument >= ARGUMENTS)
		return;
	__u32 at = find_room(event);
	__s64 bytes = read_buffer(&event->record.text[at], buffer, length);

	if (bytes < 0)
		return;
	if ((__u64)bytes < length)
		event->cut_texts |= 1 << argument;
	event->buffers |= 1 << argument;
	set_number(event, argument, length);
	/* The compiler must not take the check of `at` away from this place. */
	asm volatile("" : "+r"(at), "+r"(bytes));
	if (at > (ARGUMENTS - 1) * TEXT_BYTES)
		return;
	event->record.text[at + (bytes & (TEXT_BYTES - 1))] = 0;
	end_text(event, argument, at, bytes);
}

/* The filters on it match: what cannot be known must not be a way around a rule. */
static __always_inline void set_uncertain(struct event *event, __u32 argument)
{
	if (has_memory(event))
		event->uncertain_texts |= 1 << argument;
}

/* Writes the path of a struct path, as the process sees it, into event->path; 0 if it cannot be known. */
static __always_inline int find_path(struct event *event, const void *path)
{
	struct place place = read_place(path);

	if (!render_path(&event->path, &place))
		return 0;
	/* The root itself has no name. */
	if (event->path.start == PATH_BUFFER)
		event->path.text[--event->path.start] = '/';
	return 1;
}

/* A struct path. */
static __always_inline void set_path(struct event *event, __u32 argument, const void *path)
{
	if (!has_memory(event) || argument >= ARGUMENTS)
		return;
	if (!find_path(event, path)) {
		set_uncertain(event, argument);
		return;
	}
	__u32 at = find_room(event);
	__u32 start = event->path.start;
	__u32 bytes = (PATH_BUFFER - start) & (TEXT_BYTES - 1);

	/* With the zero behind the text. */
	bpf_probe_read_kernel(&event->record.text[at], bytes + 1, &event->path.text[start & (PATH_BUFFER - 1)]);
	end_text(event, argument, at, bytes);
}

#endif
