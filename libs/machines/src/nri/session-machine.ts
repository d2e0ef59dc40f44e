// SPDX-License-Identifier: Apache-2.0
// The session of an NRI plugin with its runtime, for as long as the plugin runs:
//
//   dialing → registering → configuring → synchronizing → serving
//      ↑           |              |             |            |
//   backingOff ←── lost ←─────────┴─────────────┴────────────┘
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
    reportStopped: notProvided("reportStopped"),

    beginHandshake: assign({ isConfigured: false, lostBecause: undefined }),
    noteConfigured: assign({ isConfigured: true }),
    noteServing: assign({ attempts: 0 }),
    noteLost: assign(({ context, event }) => ({
      attempts: context.attempts + 1,
      lostBecause: event.type === "connection.lost" ? event.reason : "the runtime did not go on in time",
    })),
  },
  guards: {
    isLaunched: ({ context }) => context.isLaunched,
    isConfigured: ({ context }) => context.isConfigured,
  },
  delays: {
    handshake: HANDSHAKE_MS,
    backoff: ({ context }) =>
      Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(context.attempts - 1, 8), BACKOFF_LONGEST_MS),
  },
}).createMachine({
  id: "nriSession",
  context: ({ input }) => ({
    ...input,
    attempts: 0,
    isConfigured: false,
    lostBecause: undefined,
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
          after: { handshake: { target: "#nriSession.lost", actions: "noteLost" } },
          // Also before the registration is answered: what counts is that the runtime has gone all the way.
          on: { synchronized: "serving" },
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
    backingOff: {
      description: "No runtime is there; its socket is watched.",
      after: { backoff: "connected" },
      on: { "socket.changed": "connected" },
    },
    stopped: { type: "final", entry: "reportStopped" },
  },
});
