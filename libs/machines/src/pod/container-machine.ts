// SPDX-License-Identifier: Apache-2.0
// One container, from the runtime hook's call to the end of its cgroup:
//
//   seen → identified → placed → registered → released → gone
//
// Effects answer with events, at once or later: findCgroup with cgroup.found or cgroup.refused, addToFilter
// with filter.added or filter.refused, release with answer.sent. `registered` is entered only when the policy
// filter holds the cgroup id, and nobody is answered before it. A repeated hook call of a released container
// looks at the cgroup again (verifying) and touches the policy filter only if the cgroup that the container had does
// not exist any more: findCgroup then answers cgroup.found with another id, and otherwise refuses the call. A container
// that was released stays in the policy filter until its cgroup is gone, whatever happens to its pod.

import { assign, setup } from "xstate";
import type { TableLogic, TableSnapshot } from "../runners/actor-logic.ts";
import {
  type ContainerContext,
  type ContainerEvent,
  type ContainerInput,
  containerGuards,
  containerReducers,
  toContainerContext,
} from "./container-logic.ts";
import { notProvided } from "./domain.ts";

export const containerMachine = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as { context: ContainerContext; events: ContainerEvent; input: ContainerInput },
  actions: {
    /** Looks up `report.cgroupsPath`; answers cgroup.found or cgroup.refused. */
    findCgroup: notProvided("findCgroup"),
    /** Puts the cgroup id under the pod's policies; answers filter.added or filter.refused. */
    addToFilter: notProvided("addToFilter"),
    removeFromFilter: notProvided("removeFromFilter"),
    /** Lets every caller that waits go on; answers answer.sent. */
    release: notProvided("release"),
    /** The same for a container that was released before and has nothing new; nobody has to be told. */
    releaseAgain: notProvided("releaseAgain"),
    /** Gives every caller that waits the failure. */
    refuse: notProvided("refuse"),
    /** The container is now one of the failed ones, which are not kept without bound. */
    recordFailure: notProvided("recordFailure"),
    reportMoved: notProvided("reportMoved"),
    reportGone: notProvided("reportGone"),

    notifyPod: ({ context, self }) => {
      if (self._parent === undefined) throw new Error("a container is always the child of a pod");
      self._parent.send({ type: "container.gone", containerId: context.report.containerId });
    },

    adoptReport: assign(containerReducers.adoptReport),
    adoptPod: assign(containerReducers.adoptPod),
    adoptCgroup: assign(containerReducers.adoptCgroup),
    adoptFailure: assign(containerReducers.adoptFailure),
    forgetCgroup: assign(containerReducers.forgetCgroup),
    forgetFailure: assign(containerReducers.forgetFailure),
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
    "pod.identified": { actions: "adoptPod" },
    "cgroup.vanished": ".gone",
    "container.stopped": ".gone",
    "pod.deleted": ".gone",
  },
  states: {
    seen: {
      description: "The hook has called; the pod's identity is being resolved.",
      always: { guard: "hasIdentity", target: "identified" },
      on: {
        "container.reported": { actions: "adoptReport" },
        "pod.identified": { actions: "adoptPod" },
        "identity.refused": { target: "failed", actions: "adoptFailure" },
      },
    },
    identified: {
      description: "Pod and container are known; the cgroup is being looked up.",
      entry: "findCgroup",
      on: {
        "container.reported": { target: "identified", reenter: true, actions: "adoptReport" },
        "cgroup.found": { guard: "isForCurrentPath", target: "placed", actions: "adoptCgroup" },
        "cgroup.refused": [
          { guard: "isMissingListedContainer", target: "gone", actions: ["adoptFailure", "refuse"] },
          { guard: "isForCurrentPath", target: "failed", actions: "adoptFailure" },
        ],
      },
    },
    placed: {
      description: "The cgroup id is known and is being put under the pod's policies.",
      entry: "addToFilter",
      on: {
        "filter.added": "registered",
        "filter.refused": { target: "failed", actions: ["adoptFailure", "forgetCgroup"] },
      },
    },
    registered: {
      description: "The policy filter holds the cgroup id; the runtime is being answered.",
      entry: "release",
      on: { "answer.sent": "released", "pod.deleted": {} },
    },
    released: {
      description: "The runtime has its answer: the container runs or soon will.",
      on: {
        "container.reported": [
          { guard: "isRepeatedReport", actions: "releaseAgain" },
          { target: "verifying", actions: "adoptReport" },
        ],
        "pod.deleted": {},
      },
    },
    verifying: {
      description: "Announced again; the policies stay as they are unless its cgroup is another one.",
      entry: "findCgroup",
      on: {
        "container.reported": { target: "verifying", reenter: true, actions: "adoptReport" },
        "cgroup.found": [
          { guard: "isSameCgroup", target: "registered" },
          {
            guard: "isForCurrentPath",
            target: "placed",
            actions: ["reportMoved", "removeFromFilter", "adoptCgroup"],
          },
        ],
        // A wrong repetition takes nothing away from a container that runs.
        "cgroup.refused": {
          guard: "isForCurrentPath",
          target: "released",
          actions: ["adoptFailure", "refuse", "forgetFailure"],
        },
        "pod.deleted": {},
      },
    },
    failed: {
      description: "Not let go, and the runtime was told why; a new hook call may try again.",
      entry: ["removeFromFilter", "refuse", "recordFailure"],
      after: { failureRetention: "gone" },
      on: {
        "container.reported": { target: "seen", actions: ["forgetFailure", "adoptReport"] },
        "failure.discarded": "gone",
      },
    },
    gone: {
      // Not of type "final": the pod is told by name, and stops this actor; XState's own notice would come to a
      // pod that may have ended with its last container.
      description: "It has ended, or it never started.",
      entry: ["removeFromFilter", "reportGone", "notifyPod"],
      // Nothing happens to it any more.
      on: { "*": {} },
    },
  },
});

export type ContainerLogic = TableLogic<typeof containerMachine>;
export type ContainerSnapshot = TableSnapshot<typeof containerMachine>;
