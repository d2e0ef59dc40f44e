// SPDX-License-Identifier: Apache-2.0
// Leader election by a Lease (client-go tools/leaderelection), of one program:
//
//   asking ⇄ waiting
//      ↓                       lost → waiting
//   leading: idle ⇄ renewing ───↑
//
// The lease is valid for longer (15 s) than a leader tries to renew it (5 s), so that a leader that cannot reach the API
// server has stopped before another one begins.

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import {
  type ElectionContext,
  type ElectionEvent,
  type ElectionInput,
  electionDelays,
  electionReducers,
  toElectionContext,
} from "./election-logic.ts";

export const electionMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: ElectionContext; events: ElectionEvent; input: ElectionInput },
  actions: {
    /** Takes or renews the lease; sends lease.granted, lease.held or lease.failed. */
    attemptLease: notProvided("attemptLease"),
    /** This program leads now. */
    beginLeading: notProvided("beginLeading"),
    /** This program does not lead any more: nothing may be written after this. */
    endLeading: notProvided("endLeading"),
    /** Lets another program take the lease at once. */
    releaseLease: notProvided("releaseLease"),
    reportFollowing: notProvided("reportFollowing"),
    reportLost: notProvided("reportLost"),
    reportStopped: notProvided("reportStopped"),

    recordGrant: assign(electionReducers.recordGrant),
    recordRefusal: assign(electionReducers.recordRefusal),
  },
  delays: electionDelays,
}).createMachine({
  id: "election",
  context: ({ input }) => toElectionContext(input),
  initial: "asking",
  on: { stop: ".stopped" },
  states: {
    asking: {
      description: "The program asks for the lease.",
      entry: "attemptLease",
      on: {
        "lease.granted": { target: "leading", actions: "recordGrant" },
        "lease.held": { target: "waiting", actions: "recordRefusal" },
        "lease.failed": { target: "waiting", actions: "recordRefusal" },
      },
    },
    waiting: {
      description:
        "Another program has the lease, or the API server did not answer. The next attempt follows.",
      entry: "reportFollowing",
      after: { retry: "asking" },
    },
    leading: {
      description: "The program has the lease and renews it.",
      entry: "beginLeading",
      exit: "endLeading",
      initial: "valid",
      on: { stop: "releasing" },
      states: {
        valid: {
          description:
            "The lease was renewed. It counts as lost when no renewal succeeds before the deadline.",
          initial: "idle",
          after: { renewDeadline: "#election.lost" },
          on: {
            "lease.granted": { target: "valid", reenter: true, actions: "recordGrant" },
            "lease.held": { target: "#election.lost", actions: "recordRefusal" },
          },
          states: {
            idle: {
              description: "The program waits for the time of the next renewal.",
              after: { retry: "renewing" },
            },
            renewing: {
              description: "The program renews the lease.",
              entry: "attemptLease",
              on: { "lease.failed": { target: "idle", actions: "recordRefusal" } },
            },
          },
        },
      },
    },
    lost: {
      description: "The program had the lease and does not have it any more. It leaves this state at once.",
      entry: "reportLost",
      always: "waiting",
    },
    releasing: {
      description: "The program stops and gives the lease back. It leaves this state at once.",
      entry: "releaseLease",
      always: "stopped",
    },
    stopped: {
      description: "The program takes no further part in the election.",
      type: "final",
      entry: "reportStopped",
    },
  },
});
