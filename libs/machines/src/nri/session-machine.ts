// SPDX-License-Identifier: Apache-2.0
// The session of an NRI plugin with its runtime, for as long as the plugin runs:
//
//   dialing → registering → configuring → synchronizing → serving
//      ↑           |              |             |            |
//   backingOff ←── lost ←─────────┴─────────────│────────────┘
//      ↑                                        ↓
//      └─────────────────────────────── unsynchronized
//
// A runtime gives events only to a plugin that it has synchronized. `unsynchronized`: it configured the plugin, and could
// not describe to it what the node runs; until that changes no container is held.
//
// A plugin that the runtime launched has one connection in its life: when that is lost, the session is stopped. The
// runtime may configure before it has answered the registration (seen with containerd), so both orders are one way.

import { assign, setup } from "xstate";

export interface NriSessionInput {
  /** Launched by the runtime with its connection: there is nothing to dial. */
  readonly isLaunched: boolean;
}

export interface NriSessionContext extends NriSessionInput {
  /** Attempts since the last session that served. */
  readonly attempts: number;
  readonly isConfigured: boolean;
  /** Why the last connection ended. */
  readonly lostBecause: string | undefined;
  /** The last connection came as far as the configuration and no further, and none has served since. */
  readonly isUnsynchronized: boolean;
}

export type NriSessionEvent =
  | { readonly type: "dialed" }
  | { readonly type: "registered" }
  | { readonly type: "configured" }
  | { readonly type: "synchronized" }
  /** The connection failed, was closed, or must not be used any more. */
  | { readonly type: "connection.lost"; readonly reason: string }
  /** Something has changed where the socket lies: dial now. */
  | { readonly type: "socket.changed" }
  | { readonly type: "stop" };

/** The runtime's own limit for the registration (NRI pkg/adaptation, 5 s), and for what follows it, with some room. */
const HANDSHAKE_MS = 10_000;
/** A runtime that is back is found within 200 ms, also where nothing tells of its socket. */
const BACKOFF_FIRST_MS = 25;
const BACKOFF_LONGEST_MS = 150;
/** A try to synchronize can hold up the runtime for its whole request timeout (2 s), so these are rarer. */
const UNSYNCHRONIZED_LONGEST_MS = 5000;

const toPause = (attempts: number, firstMs: number, longestMs: number): number =>
  Math.min(firstMs * 2 ** Math.min(attempts - 1, 8), longestMs);

const toReason = (event: NriSessionEvent): string =>
  event.type === "connection.lost" ? event.reason : "the runtime did not go on in time";

const notProvided = (name: string) => (): never => {
  throw new Error(`the session machine needs an implementation of ${name}`);
};

export const nriSessionMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: NriSessionContext; events: NriSessionEvent; input: NriSessionInput },
  actions: {
    /** Connects; answers dialed or connection.lost. */
    dial: notProvided("dial"),
    /** Calls RegisterPlugin; answers registered or connection.lost. */
    register: notProvided("register"),
    /** Ends the connection, if there is one. */
    disconnect: notProvided("disconnect"),
    reportServing: notProvided("reportServing"),
    reportLost: notProvided("reportLost"),
    reportUnsynchronized: notProvided("reportUnsynchronized"),
    reportStopped: notProvided("reportStopped"),

    beginHandshake: assign({ isConfigured: false, lostBecause: undefined }),
    noteConfigured: assign({ isConfigured: true }),
    noteServing: assign({ attempts: 0, isUnsynchronized: false }),
    noteLost: assign(({ context, event }) => ({
      attempts: context.isUnsynchronized ? 1 : context.attempts + 1,
      lostBecause: toReason(event),
      isUnsynchronized: false,
    })),
    noteUnsynchronized: assign(({ context, event }) => ({
      attempts: context.isUnsynchronized ? context.attempts + 1 : 1,
      lostBecause: toReason(event),
      isUnsynchronized: true,
    })),
  },
  guards: {
    isLaunched: ({ context }) => context.isLaunched,
    isConfigured: ({ context }) => context.isConfigured,
  },
  delays: {
    handshake: HANDSHAKE_MS,
    backoff: ({ context }) => toPause(context.attempts, BACKOFF_FIRST_MS, BACKOFF_LONGEST_MS),
    unsynchronizedBackoff: ({ context }) =>
      toPause(context.attempts, BACKOFF_LONGEST_MS, UNSYNCHRONIZED_LONGEST_MS),
  },
}).createMachine({
  id: "nriSession",
  context: ({ input }) => ({
    ...input,
    attempts: 0,
    isConfigured: false,
    lostBecause: undefined,
    isUnsynchronized: false,
  }),
  initial: "connected",
  on: { stop: ".stopped" },
  states: {
    connected: {
      initial: "handshaking",
      exit: "disconnect",
      on: { "connection.lost": { target: "lost", actions: "noteLost" } },
      states: {
        handshaking: {
          initial: "dialing",
          entry: "beginHandshake",
          after: {
            handshake: [
              { guard: "isConfigured", target: "#nriSession.unsynchronized", actions: "noteUnsynchronized" },
              { target: "#nriSession.lost", actions: "noteLost" },
            ],
          },
          on: {
            // Also before the registration is answered: what counts is that the runtime has gone all the way.
            synchronized: "serving",
            "connection.lost": [
              { guard: "isConfigured", target: "#nriSession.unsynchronized", actions: "noteUnsynchronized" },
              { target: "#nriSession.lost", actions: "noteLost" },
            ],
          },
          states: {
            dialing: {
              description: "Connecting to the runtime's socket.",
              entry: "dial",
              on: { dialed: "registering" },
            },
            registering: {
              description: "Name and index are told; the runtime may configure before it answers.",
              entry: "register",
              on: {
                registered: "configuring",
                configured: { actions: "noteConfigured" },
              },
            },
            configuring: {
              description: "Registered; waiting for the runtime's configuration.",
              always: { guard: "isConfigured", target: "synchronizing" },
              on: { configured: { target: "synchronizing", actions: "noteConfigured" } },
            },
            synchronizing: {
              description: "Configured; waiting to be told what runs already.",
            },
          },
        },
        serving: {
          description: "The runtime asks before it starts containers.",
          entry: ["noteServing", "reportServing"],
        },
      },
    },
    lost: {
      entry: "reportLost",
      always: [{ guard: "isLaunched", target: "stopped" }, { target: "backingOff" }],
    },
    unsynchronized: {
      description: "The runtime did not describe what it runs. It may once the largest containers are gone.",
      entry: "reportUnsynchronized",
      always: { guard: "isLaunched", target: "stopped" },
      after: { unsynchronizedBackoff: "connected" },
      on: { "socket.changed": "connected" },
    },
    backingOff: {
      description: "No runtime is there; its socket is watched.",
      after: { backoff: "connected" },
      on: { "socket.changed": "connected" },
    },
    stopped: { type: "final", entry: "reportStopped" },
  },
});
