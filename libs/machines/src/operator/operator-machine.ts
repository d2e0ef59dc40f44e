// SPDX-License-Identifier: Apache-2.0
// What the operator does while it leads:
//
//   following ⇄ leading: installing → establishing → serving
//                            ↑   └────────┤
//                        backingOff ←─────┘

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import {
  type OperatorContext,
  type OperatorEvent,
  operatorDelays,
  operatorReducers,
  toOperatorContext,
} from "./operator-logic.ts";

export const operatorMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: OperatorContext; events: OperatorEvent },
  actions: {
    /** Creates or upgrades the CRDs; sends crds.installed or work.failed. */
    installCrds: notProvided("installCrds"),
    /** Sends crds.established when the API server serves all of them, or work.failed. */
    awaitEstablished: notProvided("awaitEstablished"),
    /** Keeps the PodInfo objects until `endWork`. */
    keepPodInfos: notProvided("keepPodInfos"),
    /** Ends what the actions above have begun. */
    endWork: notProvided("endWork"),
    reportServing: notProvided("reportServing"),
    reportFailed: notProvided("reportFailed"),

    recordFailure: assign(operatorReducers.recordFailure),
    recordTimeout: assign(operatorReducers.recordTimeout),
    recordServing: assign(operatorReducers.recordServing),
  },
  delays: operatorDelays,
}).createMachine({
  id: "operator",
  context: () => toOperatorContext(),
  initial: "following",
  on: { stop: ".stopped" },
  states: {
    following: {
      description: "Another operator leads. This one writes nothing.",
      on: { "leader.gained": "leading" },
    },
    leading: {
      description: "This operator leads: it alone writes to the API server.",
      initial: "working",
      on: { "leader.lost": "following" },
      states: {
        working: {
          description: "The operator writes to the API server.",
          initial: "installing",
          exit: "endWork",
          on: { "work.failed": { target: "backingOff", actions: "recordFailure" } },
          states: {
            installing: {
              description: "The operator creates and upgrades the CustomResourceDefinitions.",
              entry: "installCrds",
              on: { "crds.installed": "establishing" },
            },
            establishing: {
              description: "The operator waits until the API server serves the kinds, for at most 60 s.",
              entry: "awaitEstablished",
              after: { established: { target: "#operator.leading.backingOff", actions: "recordTimeout" } },
              on: { "crds.established": "serving" },
            },
            serving: {
              description: "All kinds are served, and the PodInfo objects follow the pods.",
              entry: ["recordServing", "reportServing", "keepPodInfos"],
            },
          },
        },
        backingOff: {
          description:
            "The API server refused a write or could not be reached. The operator begins again later.",
          entry: "reportFailed",
          after: { backoff: "working" },
        },
      },
    },
    stopped: {
      description: "The operator ends and writes nothing more.",
      type: "final",
    },
  },
});
