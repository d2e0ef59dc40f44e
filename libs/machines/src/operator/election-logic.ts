// SPDX-License-Identifier: Apache-2.0
// Context, events, delays and reducers of the election machine: pure functions.

import type { TransitionArgs } from "../table/machine-table.ts";

export interface ElectionInput {
  /** Between two attempts. */
  readonly retryMs: number;
  /** Without a renewal for this time, the leader stops. */
  readonly renewDeadlineMs: number;
}

export interface ElectionContext extends ElectionInput {
  /** How long the last granted attempt took: the lease was valid from some moment in it. */
  readonly tookMs: number;
  /** Why the last attempt did not succeed: another holder, or an error. */
  readonly refusal: string | undefined;
}

export type ElectionEvent =
  | { readonly type: "lease.granted"; readonly tookMs: number }
  | { readonly type: "lease.held"; readonly holder: string }
  | { readonly type: "lease.failed"; readonly reason: string }
  | { readonly type: "stop" };

type Args = TransitionArgs<ElectionContext, ElectionEvent>;
type Change = Partial<ElectionContext>;

export const toElectionContext = (input: ElectionInput): ElectionContext => ({
  ...input,
  tookMs: 0,
  refusal: undefined,
});

function toRefusal(event: Args["event"]): string | undefined {
  if (event.type === "lease.held") return `${event.holder || "another program"} has the lease`;
  return event.type === "lease.failed" ? event.reason : undefined;
}

export const electionReducers = {
  recordGrant: ({ event }: Args): Change => ({
    tookMs: event.type === "lease.granted" ? event.tookMs : 0,
    refusal: undefined,
  }),
  recordRefusal: ({ event }: Args): Change => ({ refusal: toRefusal(event) }),
} as const; // const, so that the names stay literals

export const electionDelays = {
  retry: ({ context }: Args): number => context.retryMs,
  renewDeadline: ({ context }: Args): number => Math.max(0, context.renewDeadlineMs - context.tookMs),
} as const; // const, so that the names stay literals
