// SPDX-License-Identifier: Apache-2.0
// Explanations and overviews (libs/explain) in a recording.

import type { Explanation, NodeOverview } from "@rthooks/explain";
import * as v from "valibot";

/** Within what JavaScript's Date has. */
export const time = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const duration = v.pipe(v.number(), v.minValue(0));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(64 * 1024));
const list = <Item extends v.GenericSchema>(item: Item) => v.pipe(v.array(item), v.maxLength(10_000));

const failure = v.object({ kind: text, what: text, next: text, message: text });
const failing = v.optional(v.object({ term: text, found: text }));
const enforcement = {
  mechanism: text,
  counts: v.optional(v.object({ matches: count, denials: count, signals: count, withheld: count })),
};
const names = { containerId: text, namespace: text, pod: text, container: text };

const explanation = v.object({
  containerId: text,
  state: text,
  outcome: v.picklist(["held", "running", "denied", "failed", "ended"]),
  firstReportMs: time,
  endedMs: v.optional(time),
  identity: list(v.object({ part: text, value: text, source: text, reportedMs: v.optional(time) })),
  hold: v.optional(
    v.object({
      by: v.picklist(["hook", "nri"]),
      startedMs: time,
      durationMs: duration,
      phases: list(
        v.object({
          where: v.picklist(["hook", "plugin", "agent", "pod source", "kernel map"]),
          what: text,
          startedMs: time,
          durationMs: duration,
        }),
      ),
    }),
  ),
  policies: list(
    v.object({
      ...{ name: text, namespace: text, domain: text, state: text, mode: text },
      selects: v.boolean(),
      failing,
      selectors: list(v.object({ selector: text, failing })),
      enforcement: v.optional(v.object(enforcement)),
    }),
  ),
  failure: v.optional(failure),
});

const overview = v.object({
  atMs: time,
  node: text,
  version: text,
  held: list(v.object({ ...names, sinceMs: time, state: text })),
  heldCount: count,
  denied: list(v.object({ ...names, atMs: time, by: v.picklist(["hook", "nri", "agent"]), failure })),
  deniedCount: count,
  sources: list(
    v.object({
      name: text,
      state: v.picklist(["current", "stale", "off"]),
      problem: text,
      sinceMs: v.optional(time),
    }),
  ),
  policies: list(v.object({ state: text, count })),
  // Recordings of earlier versions do not have them.
  enforced: v.optional(
    list(v.object({ name: text, namespace: text, domain: text, mode: text, ...enforcement })),
    [],
  ),
  enforcedCount: v.optional(count, 0),
  containers: list(v.object({ state: text, source: text, count })),
  interfaces: list(
    v.object({ name: text, runtime: text, containers: count, lastReportMs: v.optional(time) }),
  ),
  problems: list(text),
});

// The casts: the types have a member that is undefined where JSON has none, which is the same to every reader.
export const explanationSchema = v.pipe(
  explanation,
  v.transform((value) => value as Explanation),
);
export const overviewSchema = v.pipe(
  overview,
  v.transform((value) => value as NodeOverview),
);
