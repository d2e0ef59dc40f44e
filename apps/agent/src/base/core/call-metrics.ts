// SPDX-License-Identifier: Apache-2.0
// The metrics of RuntimeHook calls. A counter of prom-client takes the time of a step of a state machine, so calls are added
// up, and the counters get the sums at a scrape.

import { latencyBuckets } from "@rthooks/metrics";
import type { ReportSource } from "@rthooks/oci";
import { Counter, Histogram, type Registry } from "prom-client";
import { type RefusalKind, refusalKinds } from "./refusal.ts";

/** Who sent a RuntimeHook call; `unknown` where the request is too broken to tell. */
export type CallSource = ReportSource | "unknown";

type Outcome = "ok" | RefusalKind;

export interface CallMetrics {
  /** A call was answered. */
  observe(source: CallSource, outcome: Outcome, seconds: number): void;
  /** Adds the calls since the last flush to the counters. */
  flush(): void;
}

interface CallMetricsOptions {
  named(
    name: string,
    help: string,
  ): { readonly name: string; readonly help: string; readonly registers: Registry[] };
  /** `policyfilter_operations_total`, which counts more than calls. */
  readonly operations: Counter<"subsys" | "operation" | "error">;
}

export function createCallMetrics({ named, operations }: CallMetricsOptions): CallMetrics {
  const requests = new Counter({
    ...named(
      "rthooks_requests_total",
      "RuntimeHook calls that were answered, by their source, by outcome (ok, refused) and by the kind of error.",
    ),
    labelNames: ["source", "outcome", "error"],
  });
  const answers = new Histogram({
    ...named("rthooks_request_seconds", "Time from a RuntimeHook call to its answer."),
    labelNames: ["outcome"],
    buckets: latencyBuckets,
  });
  const holds = new Histogram({
    ...named(
      "rthooks_held_seconds",
      "Time from a RuntimeHook call for which a runtime waits to its answer: what the agent adds to the start of a container.",
    ),
    labelNames: ["source"],
    buckets: latencyBuckets,
  });
  // Counters that alerts compare with their past begin at 0, so that the first refusal is an increase too.
  for (const source of ["hook", "nri"] as const)
    for (const outcome of ["ok", ...refusalKinds] as const)
      requests.inc({ source, ...toOutcomeLabels(outcome) }, 0);

  const since = new Map<CallSource, Map<Outcome, number>>();

  return {
    observe(source, outcome, seconds) {
      const counts = since.get(source) ?? new Map<Outcome, number>();
      since.set(source, counts);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      answers.observe({ outcome }, seconds);
      if (source === "hook" || source === "nri") holds.observe({ source }, seconds);
    },
    flush() {
      for (const [source, counts] of since) {
        for (const [outcome, count] of counts) {
          requests.inc({ source, ...toOutcomeLabels(outcome) }, count);
          const error = toErrorLabel(outcome);
          operations.inc({ subsys: "rthooks", operation: "add-container", error }, count);
        }
      }
      since.clear();
    },
  };
}

const toOutcomeLabels = (outcome: Outcome) =>
  outcome === "ok" ? { outcome, error: "" } : { outcome: "refused", error: outcome };

/** Tetragon's words. */
function toErrorLabel(outcome: Outcome): string {
  if (outcome === "ok") return "";
  return outcome === "namespace-conflict" ? "pod-namespace-conflict" : "generic-error";
}
