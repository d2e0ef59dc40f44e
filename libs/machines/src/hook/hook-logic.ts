// SPDX-License-Identifier: Apache-2.0
// Context, events, guards, delays and reducers of the hook machine: pure functions, which XState and the table share.

import type { TransitionArgs } from "../table/machine-table.ts";

/** How far an invocation has come. */
type HookPhase = "loading" | "connecting" | "requesting";

export type HookFailure =
  /** The container's OCI spec cannot be read, or lacks what the request needs; `reason` is for people. */
  | { readonly kind: "spec"; readonly reason: string }
  /** The agent cannot be reached, and another attempt will not help: the address is wrong, or access is denied. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** The deadline came first. */
  | { readonly kind: "deadline"; readonly phase: HookPhase }
  /** The agent answered with an error, or its answer is not valid gRPC. */
  | { readonly kind: "refused"; readonly reason: string };

export interface HookInput {
  /** From the start of the invocation to its end. */
  readonly deadlineMs: number;
  /** How long the hook tries to reach the agent before it asks the fail check early. */
  readonly allowedTimeoutMs: number;
  /** The invocation sends nothing to the agent and only writes its log. */
  readonly grpcDisabled: boolean;
}

export interface HookContext extends HookInput {
  readonly phase: HookPhase;
  /** Attempts to reach the agent that failed. */
  readonly attempts: number;
  /** The fail check ran once before the deadline, and denied the container. */
  readonly checkedEarly: boolean;
  readonly failure: HookFailure | undefined;
  /** Why the fail check denied the container. */
  readonly denial: string | undefined;
}

export type HookEvent =
  | { readonly type: "spec.loaded" }
  | { readonly type: "spec.failed"; readonly failure: HookFailure }
  /** The first HTTP/2 frame of the agent arrived: a gRPC server is running. */
  | { readonly type: "agent.ready" }
  /** The connection was refused, or it ended before the answer: the next attempt may succeed. */
  | { readonly type: "agent.lost" }
  | { readonly type: "agent.unreachable"; readonly failure: HookFailure }
  | { readonly type: "answer.ok" }
  | { readonly type: "answer.failed"; readonly failure: HookFailure }
  | { readonly type: "check.allowed" }
  | { readonly type: "check.denied"; readonly denial: string };

/** Effects, which the caller performs; the result comes back as an event. */
export type HookEffect =
  | "load"
  | "connect"
  | "disconnect"
  | "check"
  | "reportSuccess"
  | "reportSkipped"
  | "reportFailure"
  | "reportAllowed"
  | "reportDenied";

export const toHookContext = (input: HookInput): HookContext => ({
  ...input,
  phase: "loading",
  attempts: 0,
  checkedEarly: false,
  failure: undefined,
  denial: undefined,
});

type Args = TransitionArgs<HookContext, HookEvent>;
type Change = Partial<HookContext>;

export const hookReducers = {
  enterConnecting: (): Change => ({ phase: "connecting" }),
  enterRequesting: (): Change => ({ phase: "requesting" }),
  countAttempt: ({ context }: Args): Change => ({ phase: "connecting", attempts: context.attempts + 1 }),
  recordEarlyCheck: (): Change => ({ checkedEarly: true }),
  recordDeadline: ({ context }: Args): Change => ({ failure: { kind: "deadline", phase: context.phase } }),
  recordFailure: ({ event }: Args): Change => ("failure" in event ? { failure: event.failure } : {}),
  recordDenial: ({ event }: Args): Change => ("denial" in event ? { denial: event.denial } : {}),
} as const; // const, so that the names stay literals

export const hookGuards = {
  grpcDisabled: ({ context }: Args): boolean => context.grpcDisabled,
  notCheckedEarly: ({ context }: Args): boolean => !context.checkedEarly,
} as const; // const, so that the names stay literals

/** The longest pause is 15 ms, so that an agent that starts is found within 50 ms. */
const BACKOFF_FIRST_MS = 5;
const BACKOFF_LONGEST_MS = 15;

export const hookDelays = {
  deadline: ({ context }: Args): number => context.deadlineMs,
  allowedTimeout: ({ context }: Args): number => context.allowedTimeoutMs,
  backoff: ({ context }: Args): number =>
    Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(context.attempts - 1, 8), BACKOFF_LONGEST_MS),
} as const; // const, so that the names stay literals
