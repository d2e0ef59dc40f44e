// SPDX-License-Identifier: Apache-2.0
// The session of the NRI plugin with its runtime, from the start of the plugin to its end:
//
//   dialing → registering → configuring → synchronizing → serving
//      ↑           |              |             |            |
//   backingOff ←── lost ←─────────┴─────────────│────────────┘
//      ↑                                        ↓
//      └─────────────────────────────── unsynchronized
//
// A runtime sends events only to a plugin that it has synchronized. `unsynchronized`: the runtime configured the plugin and
// failed to synchronize it, so no container is held.
//
// A plugin that the runtime launched has one connection: when it is lost, the session stops. The runtime may configure
// the plugin before it answers the registration (containerd does), so both orders lead to `synchronizing`.

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import {
  type NriSessionContext,
  type NriSessionEvent,
  type NriSessionInput,
  nriSessionDelays,
  nriSessionGuards,
  nriSessionReducers,
  toNriSessionContext,
} from "./session-logic.ts";

export const nriSessionMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: NriSessionContext; events: NriSessionEvent; input: NriSessionInput },
  actions: {
    /** Connects; sends dialed or connection.lost. */
    dial: notProvided("dial"),
    /** Calls RegisterPlugin; sends registered or connection.lost. */
    register: notProvided("register"),
    /** Ends the connection, if there is one. */
    disconnect: notProvided("disconnect"),
    reportServing: notProvided("reportServing"),
    reportLost: notProvided("reportLost"),
    reportUnsynchronized: notProvided("reportUnsynchronized"),
    reportStopped: notProvided("reportStopped"),

    resetHandshake: assign(nriSessionReducers.resetHandshake),
    recordConfigured: assign(nriSessionReducers.recordConfigured),
    recordServing: assign(nriSessionReducers.recordServing),
    recordLost: assign(nriSessionReducers.recordLost),
    recordUnsynchronized: assign(nriSessionReducers.recordUnsynchronized),
  },
  guards: nriSessionGuards,
  delays: nriSessionDelays,
}).createMachine({
  id: "nriSession",
  context: ({ input }) => toNriSessionContext(input),
  initial: "connected",
  on: { stop: ".stopped" },
  states: {
    connected: {
      description: "The plugin has a connection to the runtime, or opens one.",
      initial: "handshaking",
      exit: "disconnect",
      on: { "connection.lost": { target: "lost", actions: "recordLost" } },
      states: {
        handshaking: {
          description: "The plugin registers, and the runtime configures and synchronizes it, within 10 s.",
          initial: "dialing",
          entry: "resetHandshake",
          after: {
            handshake: [
              {
                guard: "isConfigured",
                target: "#nriSession.unsynchronized",
                actions: "recordUnsynchronized",
              },
              { target: "#nriSession.lost", actions: "recordLost" },
            ],
          },
          on: {
            // Also before the answer to the registration: the runtime has done every step by then.
            synchronized: "serving",
            "connection.lost": [
              {
                guard: "isConfigured",
                target: "#nriSession.unsynchronized",
                actions: "recordUnsynchronized",
              },
              { target: "#nriSession.lost", actions: "recordLost" },
            ],
          },
          states: {
            dialing: {
              description: "The plugin connects to the runtime's NRI socket.",
              entry: "dial",
              on: { dialed: "registering" },
            },
            registering: {
              description:
                "The plugin registers with its name and index. The runtime may configure it before it answers.",
              entry: "register",
              on: {
                registered: "configuring",
                configured: { actions: "recordConfigured" },
              },
            },
            configuring: {
              description: "The plugin is registered and waits for the runtime's Configure request.",
              always: { guard: "isConfigured", target: "synchronizing" },
              on: { configured: { target: "synchronizing", actions: "recordConfigured" } },
            },
            synchronizing: {
              description:
                "The plugin is configured and waits for the Synchronize request, which lists the running containers.",
            },
          },
        },
        serving: {
          description: "The runtime calls the plugin before it starts a container.",
          entry: ["recordServing", "reportServing"],
        },
      },
    },
    lost: {
      description: "The connection to the runtime ended. The machine leaves this state at once.",
      entry: "reportLost",
      always: [{ guard: "isLaunched", target: "stopped" }, { target: "backingOff" }],
    },
    unsynchronized: {
      description:
        "The runtime did not synchronize the plugin, so no container is held. The plugin reconnects within 5 s.",
      entry: "reportUnsynchronized",
      always: { guard: "isLaunched", target: "stopped" },
      after: { unsynchronizedBackoff: "connected" },
      on: { "socket.changed": "connected" },
    },
    backingOff: {
      description:
        "The runtime cannot be reached. The plugin connects again within 150 ms, or when the socket changes.",
      after: { backoff: "connected" },
      on: { "socket.changed": "connected" },
    },
    stopped: {
      description:
        "The session ended with the plugin, or with the connection of a plugin that the runtime launched.",
      type: "final",
      entry: "reportStopped",
    },
  },
});
