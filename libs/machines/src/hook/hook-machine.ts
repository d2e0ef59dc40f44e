// SPDX-License-Identifier: Apache-2.0
// One invocation of the hook, from the runtime's call to the answer that the runtime acts on.
//
//   loading -> connecting -> requesting -> succeeded
//      |        ^   |            |
//      |        |   v            |        (deadline, or a failure that waiting does not mend)
//      |      backingOff         |
//      +------------+------------+------> failCheck -> allowed | denied
//
// `weighing` asks failCheck early, once, for a container that waits for an agent that is not there: if it may
// start anyway it does not wait out the whole deadline.

import { assign, setup } from "xstate";
import {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookInput,
  hookDelays,
  hookGuards,
  hookReducers,
  toHookContext,
} from "./hook-logic.ts";

const reduce = (name: keyof typeof hookReducers) =>
  assign<HookContext, HookEvent, undefined, HookEvent, never>(({ context, event }) =>
    hookReducers[name](context, event),
  );

const unprovided = (effect: HookEffect) => (): never => {
  throw new Error(`the hook machine needs an implementation of ${effect}`);
};

export const hookMachine = setup({
  types: {
    context: {} as HookContext,
    events: {} as HookEvent,
    input: {} as HookInput,
  },
  actions: {
    enterConnecting: reduce("enterConnecting"),
    enterRequesting: reduce("enterRequesting"),
    countAttempt: reduce("countAttempt"),
    recordWeighing: reduce("recordWeighing"),
    recordDeadline: reduce("recordDeadline"),
    recordFailure: reduce("recordFailure"),
    recordDenial: reduce("recordDenial"),
    load: unprovided("load"),
    connect: unprovided("connect"),
    disconnect: unprovided("disconnect"),
    check: unprovided("check"),
    reportSuccess: unprovided("reportSuccess"),
    reportSkipped: unprovided("reportSkipped"),
    reportFailure: unprovided("reportFailure"),
    reportAllowed: unprovided("reportAllowed"),
    reportDenied: unprovided("reportDenied"),
  },
  guards: {
    grpcDisabled: ({ context }) => hookGuards.grpcDisabled(context),
    notWeighed: ({ context }) => hookGuards.notWeighed(context),
  },
  delays: {
    deadline: ({ context }) => hookDelays.deadline(context),
    patience: ({ context }) => hookDelays.patience(context),
    backoff: ({ context }) => hookDelays.backoff(context),
  },
}).createMachine({
  id: "hook",
  context: ({ input }) => toHookContext(input),
  initial: "active",
  states: {
    active: {
      initial: "loading",
      after: { deadline: { target: "failCheck", actions: ["disconnect", "recordDeadline"] } },
      states: {
        loading: {
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
          initial: "connecting",
          after: {
            patience: {
              guard: "notWeighed",
              target: "weighing",
              actions: ["disconnect", "recordWeighing", "recordDeadline"],
            },
          },
          states: {
            connecting: {
              entry: "connect",
              on: {
                "agent.ready": { target: "#hook.active.requesting", actions: "enterRequesting" },
              },
            },
            backingOff: {
              after: { backoff: "connecting" },
            },
          },
          on: {
            "agent.lost": { target: ".backingOff", actions: "countAttempt" },
          },
        },
        weighing: {
          entry: "check",
          on: {
            "check.allowed": { target: "#hook.allowed", actions: "reportFailure" },
            "check.denied": "reaching",
          },
        },
        requesting: {
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
      entry: ["reportFailure", "check"],
      on: {
        "check.allowed": "allowed",
        "check.denied": { target: "denied", actions: "recordDenial" },
      },
    },
    succeeded: { type: "final", entry: "reportSuccess" },
    skipped: { type: "final", entry: "reportSkipped" },
    allowed: { type: "final", entry: "reportAllowed" },
    denied: { type: "final", entry: "reportDenied" },
  },
});
