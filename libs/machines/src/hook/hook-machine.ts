// SPDX-License-Identifier: Apache-2.0
// One hook invocation, from the runtime's call to the exit code:
//
//   loading -> connecting -> requesting -> succeeded
//      |        ^   |            |
//      |        |   v            |        (the deadline, or a failure that another attempt does not repair)
//      |      backingOff         |
//      +------------+------------+------> failCheck -> allowed | denied
//
// `checkingEarly` runs the fail check once before the deadline, while the agent cannot be reached: a container that it
// allows starts then, and does not wait for the whole deadline.

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import {
  type HookContext,
  type HookEvent,
  type HookInput,
  hookDelays,
  hookGuards,
  hookReducers,
  toHookContext,
} from "./hook-logic.ts";

export const hookMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: HookContext; events: HookEvent; input: HookInput },
  actions: {
    enterConnecting: assign(hookReducers.enterConnecting),
    enterRequesting: assign(hookReducers.enterRequesting),
    countAttempt: assign(hookReducers.countAttempt),
    recordEarlyCheck: assign(hookReducers.recordEarlyCheck),
    recordDeadline: assign(hookReducers.recordDeadline),
    recordFailure: assign(hookReducers.recordFailure),
    recordDenial: assign(hookReducers.recordDenial),
    load: notProvided("load"),
    connect: notProvided("connect"),
    disconnect: notProvided("disconnect"),
    check: notProvided("check"),
    reportSuccess: notProvided("reportSuccess"),
    reportSkipped: notProvided("reportSkipped"),
    reportFailure: notProvided("reportFailure"),
    reportAllowed: notProvided("reportAllowed"),
    reportDenied: notProvided("reportDenied"),
  },
  guards: hookGuards,
  delays: hookDelays,
}).createMachine({
  id: "hook",
  context: ({ input }) => toHookContext(input),
  initial: "active",
  states: {
    active: {
      description: "The invocation runs, and its deadline with it.",
      initial: "loading",
      after: { deadline: { target: "failCheck", actions: ["disconnect", "recordDeadline"] } },
      states: {
        loading: {
          description: "The hook reads the container's OCI spec and builds the request to the agent.",
          entry: "load",
          on: {
            "spec.loaded": [
              { guard: "grpcDisabled", target: "#hook.skipped" },
              { target: "reaching", actions: "enterConnecting" },
            ],
            "spec.failed": [
              { guard: "grpcDisabled", target: "#hook.skipped", actions: ["recordFailure", "reportFailure"] },
              { target: "#hook.failCheck", actions: "recordFailure" },
            ],
          },
        },
        reaching: {
          description: "The hook tries to reach the agent until it answers or the time is over.",
          initial: "connecting",
          after: {
            allowedTimeout: {
              guard: "notCheckedEarly",
              target: "checkingEarly",
              actions: ["disconnect", "recordEarlyCheck", "recordDeadline"],
            },
          },
          states: {
            connecting: {
              description: "The hook connects to the agent's socket and sends the request.",
              entry: "connect",
              on: {
                "agent.ready": { target: "#hook.active.requesting", actions: "enterRequesting" },
              },
            },
            backingOff: {
              description: "The last attempt failed. The next one follows within 15 ms.",
              after: { backoff: "connecting" },
            },
          },
          on: {
            "agent.lost": { target: ".backingOff", actions: "countAttempt" },
          },
        },
        checkingEarly: {
          description:
            "The agent cannot be reached so far. The fail check decides if the container starts now.",
          entry: "check",
          on: {
            "check.allowed": { target: "#hook.allowed", actions: "reportFailure" },
            "check.denied": "reaching",
          },
        },
        requesting: {
          description: "A gRPC server accepted the connection. The hook waits for the answer to its request.",
          on: {
            "agent.lost": { target: "reaching.backingOff", actions: "countAttempt" },
          },
        },
      },
      on: {
        "answer.ok": "succeeded",
        "answer.failed": { target: "failCheck", actions: "recordFailure" },
        "agent.unreachable": { target: "failCheck", actions: "recordFailure" },
      },
    },
    failCheck: {
      description: "The agent did not register the container. The fail check decides if it starts.",
      entry: ["reportFailure", "check"],
      on: {
        "check.allowed": "allowed",
        "check.denied": { target: "denied", actions: "recordDenial" },
      },
    },
    succeeded: {
      description: "The agent registered the container, and it starts.",
      type: "final",
      entry: "reportSuccess",
    },
    skipped: {
      description: "Calls to the agent are switched off (--disable-grpc), and the container starts.",
      type: "final",
      entry: "reportSkipped",
    },
    allowed: {
      description: "The agent did not register the container. The fail check allowed it to start.",
      type: "final",
      entry: "reportAllowed",
    },
    denied: {
      description: "The fail check denied the container, and the runtime does not start it.",
      type: "final",
      entry: "reportDenied",
    },
  },
});
