// SPDX-License-Identifier: Apache-2.0
// The events that a client asked for: those that any filter of its allow list matches, without those that one of its deny
// list matches.

import { err, ok, type Result } from "@rthooks/result";
import { createTextCompiler } from "./compile-texts.ts";
import { compileFilter, type EventMatcher, namesRateLimitInfo, type WrittenFilter } from "./event-filter.ts";
import { eventTypes } from "./event-subject.ts";

export interface EventSelection {
  readonly matches: EventMatcher;
  /**
   * Whether it gets `rate_limit_info` for events that it missed. That event has no process, and `tetra getevents -o compact`
   * ends with an error at such an event; it sends a filter always, and an empty allow list never.
   */
  readonly wantsDrops: boolean;
}

/** Of both lists together: each is tried on each event. */
const maxFilters = 64;

export function compileSelection(
  allowed: readonly WrittenFilter[],
  denied: readonly WrittenFilter[],
  nowMs: () => number,
): Result<EventSelection, string> {
  if (allowed.length + denied.length > maxFilters) {
    return err(`${allowed.length + denied.length} filters: ${maxFilters} are allowed`);
  }
  const compileTexts = createTextCompiler(nowMs);
  const compileAll = (filters: readonly WrittenFilter[], list: string): Result<EventMatcher[], string> => {
    const matchers: EventMatcher[] = [];
    for (const [at, filter] of filters.entries()) {
      const matcher = compileFilter(filter, compileTexts);
      if (!matcher.ok) return err(`${list}[${at}]: ${matcher.error}`);
      matchers.push(matcher.value);
    }
    return ok(matchers);
  };
  const allow = compileAll(allowed, "allow_list");
  if (!allow.ok) return allow;
  const deny = compileAll(denied, "deny_list");
  if (!deny.ok) return deny;
  const wantsDrops = allowed.length === 0 || allowed.some(namesRateLimitInfo);
  return ok({
    matches: (subject) =>
      (wantsDrops || subject.type !== eventTypes.RATE_LIMIT_INFO) &&
      (allow.value.length === 0 || allow.value.some((matches) => matches(subject))) &&
      !deny.value.some((matches) => matches(subject)),
    wantsDrops,
  });
}
