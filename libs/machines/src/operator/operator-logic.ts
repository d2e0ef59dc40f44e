// SPDX-License-Identifier: Apache-2.0
// Context, events, delays and reducers of the operator machine: pure functions.

import { toPauseMs } from "@rthooks/net";
import type { TransitionArgs } from "../table/machine-table.ts";

export interface OperatorContext {
  /** Failures since the operator last served. */
  readonly failures: number;
  /** One line on why the operator does not serve although it leads. */
  readonly problem: string | undefined;
}

export type OperatorEvent =
  | { readonly type: "leader.gained" }
  | { readonly type: "leader.lost" }
  | { readonly type: "crds.installed" }
  | { readonly type: "crds.established" }
  | { readonly type: "work.failed"; readonly reason: string }
  | { readonly type: "stop" };

/** Tetragon's operator waits as long, and then ends. */
const ESTABLISHED_MS = 60_000;
const BACKOFF = { firstMs: 500, longestMs: 30_000 };

type Args = TransitionArgs<OperatorContext, OperatorEvent>;
type Change = Partial<OperatorContext>;

export const toOperatorContext = (): OperatorContext => ({ failures: 0, problem: undefined });

export const operatorReducers = {
  recordFailure: ({ context, event }: Args): Change => ({
    failures: context.failures + 1,
    problem: event.type === "work.failed" ? event.reason : undefined,
  }),
  recordTimeout: ({ context }: Args): Change => ({
    failures: context.failures + 1,
    problem: `the API server does not serve the kinds after ${ESTABLISHED_MS / 1000} s: their CRDs are not Established`,
  }),
  recordServing: (): Change => ({ failures: 0, problem: undefined }),
} as const; // const, so that the names stay literals

export const operatorDelays = {
  established: (): number => ESTABLISHED_MS,
  backoff: ({ context }: Args): number => toPauseMs(context.failures, BACKOFF),
} as const; // const, so that the names stay literals
