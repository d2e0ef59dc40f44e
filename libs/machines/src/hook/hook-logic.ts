// SPDX-License-Identifier: Apache-2.0
// What the hook machine knows and how it changes: the part that XState and the table made from it share.

/** How far an invocation had come. */
type HookPhase = "loading" | "connecting" | "requesting";

export type HookFailure =
  /** The container's spec could not be had or says too little; `reason` is for people. */
  | { readonly kind: "spec"; readonly reason: string }
  /** No agent can be reached and waiting will not change that. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** The time was up. */
  | { readonly kind: "deadline"; readonly phase: HookPhase }
  /** The agent answered with an error, or with something that is no answer. */
  | { readonly kind: "refused"; readonly reason: string };

export interface HookInput {
  /** From the start of the invocation to its end. */
  readonly deadlineMs: number;
  /** How long a container that may start anyway waits for an agent that is not there. */
  readonly patienceMs: number;
  /** Nothing is sent: the invocation only writes its log. */
  readonly grpcDisabled: boolean;
}

export interface HookContext extends HookInput {
  readonly phase: HookPhase;
  /** Attempts to reach the agent that came to nothing. */
  readonly attempts: number;
  /** Whether failCheck was already asked if the container may start anyway. */
  readonly weighed: boolean;
  readonly failure: HookFailure | undefined;
  /** What failCheck said when it did not let the container start. */
  readonly denial: string | undefined;
}

export type HookEvent =
  | { readonly type: "spec.loaded" }
  | { readonly type: "spec.failed"; readonly failure: HookFailure }
  /** The agent's first words came: something that speaks the protocol is there. */
  | { readonly type: "agent.ready" }
  /** There is no agent, or it went away before it answered: worth another try. */
  | { readonly type: "agent.lost" }
  | { readonly type: "agent.unreachable"; readonly failure: HookFailure }
  | { readonly type: "answer.ok" }
  | { readonly type: "answer.failed"; readonly failure: HookFailure }
  | { readonly type: "check.allowed" }
  | { readonly type: "check.denied"; readonly denial: string };

/** What the machine asks of the world; the answer comes back as an event. */
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
  weighed: false,
  failure: undefined,
  denial: undefined,
});

type Change = Partial<HookContext>;

export const hookReducers = {
  enterConnecting: (): Change => ({ phase: "connecting" }),
  enterRequesting: (): Change => ({ phase: "requesting" }),
  countAttempt: (context: HookContext): Change => ({ phase: "connecting", attempts: context.attempts + 1 }),
  recordWeighing: (): Change => ({ weighed: true }),
  recordDeadline: (context: HookContext): Change => ({
    failure: { kind: "deadline", phase: context.phase },
  }),
  recordFailure: (_context: HookContext, event: HookEvent): Change =>
    "failure" in event ? { failure: event.failure } : {},
  recordDenial: (_context: HookContext, event: HookEvent): Change =>
    "denial" in event ? { denial: event.denial } : {},
} as const;

export const hookGuards = {
  grpcDisabled: (context: HookContext): boolean => context.grpcDisabled,
  notWeighed: (context: HookContext): boolean => !context.weighed,
} as const;

/** An agent that comes up is found within 50 ms: the pause never grows past 15 ms. */
const BACKOFF_FIRST_MS = 5;
const BACKOFF_LONGEST_MS = 15;

export const hookDelays = {
  deadline: (context: HookContext): number => context.deadlineMs,
  patience: (context: HookContext): number => context.patienceMs,
  backoff: (context: HookContext): number =>
    Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(context.attempts - 1, 8), BACKOFF_LONGEST_MS),
} as const;
