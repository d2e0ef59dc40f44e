// SPDX-License-Identifier: Apache-2.0

import type { HookEvent } from "@rthooks/machines/hook";
import type { MaybePromise } from "@rthooks/sys";

/** A unary gRPC call. */
interface Call {
  /** "/package.Service/Method" */
  readonly path: string;
  /** Encoded protobuf. */
  readonly message: Uint8Array;
  readonly userAgent: string;
  /** The reserved annotation keys of the request are trusted fields (TRUSTED_HEADER). */
  readonly isTrusted: boolean;
  /** On the system's monotonic clock. */
  readonly deadlineAtMs: number;
}

/** Repeats one call to the agent until an attempt is answered. */
export interface AgentLink {
  /** The encoded answer; undefined before `answer.ok`. */
  readonly response: Uint8Array | undefined;
  /** Ends the current attempt and begins another. Returns an event if the attempt failed at once. */
  connect(call: Call): HookEvent | undefined;
  /** The next event, or undefined at `untilMs`. Without a current attempt this only waits. */
  wait(untilMs: number): MaybePromise<HookEvent | undefined>;
  disconnect(): void;
}
