// SPDX-License-Identifier: Apache-2.0
// Context, events, guards, delays and reducers of the NRI session machine: pure functions.

import { toPauseMs } from "@rthooks/net";
import type { TransitionArgs } from "../table/machine-table.ts";

export interface NriSessionInput {
  /** The runtime launched the plugin and left it a connection: the plugin does not dial. */
  readonly isLaunched: boolean;
}

export interface NriSessionContext extends NriSessionInput {
  /** Attempts since the plugin last served. */
  readonly attempts: number;
  readonly isConfigured: boolean;
  /** Why the last connection ended. */
  readonly lostReason: string | undefined;
  /** The last connection was configured and not synchronized, and no other has served since. */
  readonly isUnsynchronized: boolean;
}

export type NriSessionEvent =
  | { readonly type: "dialed" }
  | { readonly type: "registered" }
  | { readonly type: "configured" }
  | { readonly type: "synchronized" }
  /** The connection failed or was closed, or it must not be used any more. */
  | { readonly type: "connection.lost"; readonly reason: string }
  /** The directory of the socket changed: dial now. */
  | { readonly type: "socket.changed" }
  | { readonly type: "stop" };

/** The runtime's own limit for the registration (NRI pkg/adaptation, 5 s), and for what follows it, with some room. */
const HANDSHAKE_MS = 10_000;
/** A runtime that restarts is found within 200 ms, also where its socket cannot be watched. */
const BACKOFF = { firstMs: 25, longestMs: 150 };
/** An attempt to synchronize can block the runtime for its whole request timeout (2 s), so attempts are rarer. */
const UNSYNCHRONIZED_BACKOFF = { firstMs: 150, longestMs: 5000 };

type Args = TransitionArgs<NriSessionContext, NriSessionEvent>;
type Change = Partial<NriSessionContext>;

const toReason = ({ event }: Args): string =>
  event.type === "connection.lost" ? event.reason : "the runtime did not finish the handshake in time";

export const toNriSessionContext = (input: NriSessionInput): NriSessionContext => ({
  ...input,
  attempts: 0,
  isConfigured: false,
  lostReason: undefined,
  isUnsynchronized: false,
});

export const nriSessionReducers = {
  resetHandshake: (): Change => ({ isConfigured: false, lostReason: undefined }),
  recordConfigured: (): Change => ({ isConfigured: true }),
  recordServing: (): Change => ({ attempts: 0, isUnsynchronized: false }),
  recordLost: (args: Args): Change => ({
    attempts: args.context.isUnsynchronized ? 1 : args.context.attempts + 1,
    lostReason: toReason(args),
    isUnsynchronized: false,
  }),
  recordUnsynchronized: (args: Args): Change => ({
    attempts: args.context.isUnsynchronized ? args.context.attempts + 1 : 1,
    lostReason: toReason(args),
    isUnsynchronized: true,
  }),
} as const; // const, so that the names stay literals

export const nriSessionGuards = {
  isLaunched: ({ context }: Args): boolean => context.isLaunched,
  isConfigured: ({ context }: Args): boolean => context.isConfigured,
} as const; // const, so that the names stay literals

export const nriSessionDelays = {
  handshake: (): number => HANDSHAKE_MS,
  backoff: ({ context }: Args): number => toPauseMs(context.attempts, BACKOFF),
  unsynchronizedBackoff: ({ context }: Args): number => toPauseMs(context.attempts, UNSYNCHRONIZED_BACKOFF),
} as const; // const, so that the names stay literals
