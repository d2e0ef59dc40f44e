// SPDX-License-Identifier: Apache-2.0
// One container, from its first report to the end of its cgroup:
//
//   seen → identified → placed → registered → released → gone
//
// The result of an effect comes back as an event, before the effect returns or later: of findCgroup as cgroup.found or
// cgroup.refused, of addToFilter as filter.added or filter.refused, of release as answer.sent. The machine enters
// `registered` only when the policy filter has the cgroup id, and answers no caller before that.
//
// A repeated hook call for a released container looks the cgroup up again (`verifying`). The policy filter changes only if
// the container's former cgroup does not exist any more: findCgroup then finds another id, and otherwise refuses the call. A
// released container stays in the policy filter until its cgroup is gone, also when its pod is deleted.

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import type { TableLogic, TableSnapshot } from "../runners/actor-logic.ts";
import {
  type ContainerContext,
  type ContainerEvent,
  type ContainerInput,
  containerGuards,
  containerReducers,
  toContainerContext,
} from "./container-logic.ts";

export const containerMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: ContainerContext; events: ContainerEvent; input: ContainerInput },
  actions: {
    /** Looks up `report.cgroupsPath`; sends cgroup.found or cgroup.refused. */
    findCgroup: notProvided("findCgroup"),
    /** Adds the cgroup id to the policy filter; sends filter.added or filter.refused. */
    addToFilter: notProvided("addToFilter"),
    removeFromFilter: notProvided("removeFromFilter"),
    /** Answers every waiting caller: the container may start. Sends answer.sent. */
    release: notProvided("release"),
    /** The same for a repeated report of a released container, without an event. */
    releaseAgain: notProvided("releaseAgain"),
    /** Answers every waiting caller with the failure. */
    refuse: notProvided("refuse"),
    /** Adds the container to the record of failed containers, which is bounded. */
    recordFailure: notProvided("recordFailure"),
    reportMoved: notProvided("reportMoved"),
    reportGone: notProvided("reportGone"),

    /** Sends container.gone. */
    notifyPod: ({ context, self }) => {
      if (self._parent === undefined) throw new Error("a container actor is always the child of a pod actor");
      self._parent.send({ type: "container.gone", containerId: context.report.containerId });
    },

    setReport: assign(containerReducers.setReport),
    setPod: assign(containerReducers.setPod),
    setCgroup: assign(containerReducers.setCgroup),
    setFailure: assign(containerReducers.setFailure),
    clearCgroup: assign(containerReducers.clearCgroup),
    clearFailure: assign(containerReducers.clearFailure),
  },
  guards: containerGuards,
  delays: {
    /** How long a failed container stays on record for `tetragon status`. */
    failureRetention: notProvided("failureRetention"),
  },
}).createMachine({
  id: "container",
  context: ({ input }) => toContainerContext(input),
  initial: "seen",
  on: {
    "pod.identified": { actions: "setPod" },
    "cgroup.vanished": ".gone",
    "container.stopped": ".gone",
    "pod.deleted": ".gone",
  },
  states: {
    seen: {
      description: "The container was reported. The agent resolves the identity of its pod.",
      always: { guard: "hasIdentity", target: "identified" },
      on: {
        "container.reported": { actions: "setReport" },
        "pod.identified": { actions: "setPod" },
        "identity.refused": { target: "failed", actions: "setFailure" },
      },
    },
    identified: {
      description: "The pod is known. The agent looks up the container's cgroup.",
      entry: "findCgroup",
      on: {
        "container.reported": { target: "identified", reenter: true, actions: "setReport" },
        "cgroup.found": { guard: "isForCurrentPath", target: "placed", actions: "setCgroup" },
        "cgroup.refused": [
          { guard: "isMissingListedContainer", target: "gone", actions: ["setFailure", "refuse"] },
          { guard: "isForCurrentPath", target: "failed", actions: "setFailure" },
        ],
      },
    },
    placed: {
      description: "The cgroup is known. The agent adds its id to the policy filter.",
      entry: "addToFilter",
      on: {
        "filter.added": "registered",
        "filter.refused": { target: "failed", actions: ["setFailure", "clearCgroup"] },
      },
    },
    registered: {
      description: "The policy filter has the cgroup id. The agent answers the callers.",
      entry: "release",
      on: { "answer.sent": "released", "pod.deleted": {} },
    },
    released: {
      description: "The callers have their answer, and the container starts or runs.",
      on: {
        "container.reported": [
          { guard: "isRepeatedReport", actions: "releaseAgain" },
          { target: "verifying", actions: "setReport" },
        ],
        "pod.deleted": {},
      },
    },
    verifying: {
      description:
        "The container was reported again. The agent looks up its cgroup, and updates the policy filter if it is another one.",
      entry: "findCgroup",
      on: {
        "container.reported": { target: "verifying", reenter: true, actions: "setReport" },
        "cgroup.found": [
          { guard: "isSameCgroup", target: "registered" },
          {
            guard: "isForCurrentPath",
            target: "placed",
            actions: ["reportMoved", "removeFromFilter", "setCgroup"],
          },
        ],
        // A refused repetition does not change the policies of a running container.
        "cgroup.refused": {
          guard: "isForCurrentPath",
          target: "released",
          actions: ["setFailure", "refuse", "clearFailure"],
        },
        "pod.deleted": {},
      },
    },
    failed: {
      description: "The agent refused the container and answered the reason. Another report starts over.",
      entry: ["removeFromFilter", "refuse", "recordFailure"],
      after: { failureRetention: "gone" },
      on: {
        "container.reported": { target: "seen", actions: ["clearFailure", "setReport"] },
        "failure.discarded": "gone",
      },
    },
    gone: {
      // Not of type "final": notifyPod sends the container's id, and the pod stops this actor. XState's own event would
      // reach a pod that may have ended with its last container.
      description: "The container has ended, or it never started.",
      entry: ["removeFromFilter", "reportGone", "notifyPod"],
      // Ends the search: no event changes a container that is gone.
      on: { "*": {} },
    },
  },
});

export type ContainerLogic = TableLogic<typeof containerMachine>;
export type ContainerSnapshot = TableSnapshot<typeof containerMachine>;
