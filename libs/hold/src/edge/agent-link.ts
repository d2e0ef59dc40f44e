// SPDX-License-Identifier: Apache-2.0

import type { HookEvent } from "@rthooks/machines/hook";
import type { MaybePromise } from "@rthooks/sys";

/** One call to make. */
interface Call {
  /** "/package.Service/Method" */
  readonly path: string;
  /** Encoded protobuf. */
  readonly message: Uint8Array;
  readonly userAgent: string;
  /** The sender guarantees the reserved annotation keys of the request (TRUSTED_HEADER). */
  readonly isTrusted: boolean;
  /** On the system's monotonic clock. */
  readonly deadlineAtMs: number;
}

/** The way to the agent: attempts at one call, until one is answered. */
export interface AgentLink {
  /** The encoded answer, once there is one. */
  readonly response: Uint8Array | undefined;
  /** Begins an attempt, with the end of the one before; an event if that is all that will come of it. */
  connect(call: Call): HookEvent | undefined;
  /** What happens next, or nothing by `untilMs`. Without an attempt under way this is a pause. */
  wait(untilMs: number): MaybePromise<HookEvent | undefined>;
  disconnect(): void;
}
