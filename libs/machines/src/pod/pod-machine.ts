// SPDX-License-Identifier: Apache-2.0
// One pod and its containers, which are its child actors. A container that belongs to no pod has a pod actor of its own,
// with an undefined uid.
//
//   seen → reported (only container reports name the pod) | confirmed (the pod source has it) → gone
//   confirmed → unlisted (the source's last list lacks it) | deleted (the source reported its deletion) → gone
//
// Containers run until their cgroups are gone, also without the pod's object. So `unlisted` and `deleted` end with the last
// container, and both return to `confirmed` when the source has the pod again. Only `deleted` refuses containers, and only
// new ones.
//
// Labels of a container report apply before the pod source has answered. Once the source has the pod, the source's labels
// take precedence: NRI gives the labels of the time when the pod's sandbox was created, and labels change while a pod runs.
// Of two reports the later one takes precedence, since a pod can get a new sandbox.
//
// findPod sends source.found or source.missing, before it returns or later. source.found, source.unlisted and
// source.deleted also come when the source changes.

import { assign, setup } from "xstate";
import { notProvided } from "../not-provided.ts";
import { createTableLogic, type TableLogic } from "../runners/actor-logic.ts";
import { containerMachine } from "./container-machine.ts";
import {
  type PodContext,
  type PodEvent,
  type PodInput,
  podGuards,
  toPodContext,
  toSourceConflict,
  withLabels,
  withReportedNames,
  withSourceIdentity,
} from "./pod-logic.ts";

const childId = (containerId: string): string => `container:${containerId}`;

const baseSetup = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as {
    context: PodContext;
    events: PodEvent;
    input: PodInput;
    children: Record<string, "container">;
  },
  actors: { container: createTableLogic(containerMachine) },
  actions: {
    /** Looks the pod up in the pod source; sends source.found or source.missing. */
    findPod: notProvided("findPod"),
    /** Updates name and labels of the pod in the policy filter. */
    updateFilter: notProvided("updateFilter"),
    /** Refuses the report with `toReportConflict`: no container actor exists that could answer the callers. */
    refuseForNamespace: notProvided("refuseForNamespace"),
    /** The same with `podIsDeleted`. */
    refuseForDeletion: notProvided("refuseForDeletion"),
    /** Logs `toSourceConflict`. */
    reportConflict: notProvided("reportConflict"),
    reportPodGone: notProvided("reportPodGone"),

    /** Starts the container with the pod's identity. */
    spawnContainer: assign(({ context, event, spawn }) => {
      if (event.type !== "container.reported") return {};
      const { report } = event;
      const identity = withReportedNames(context.identity, event);
      const child = spawn("container", { id: childId(report.containerId), input: { report, pod: identity } });
      return { identity, containers: new Map(context.containers).set(report.containerId, child) };
    }),
    /** Starts the container before findPod has its result: pod.identified follows. */
    spawnUnidentifiedContainer: assign(({ context, event, spawn }) => {
      if (event.type !== "container.reported") return {};
      const { report } = event;
      const identity = withReportedNames(context.identity, event);
      const child = spawn("container", {
        id: childId(report.containerId),
        input: { report, pod: undefined },
      });
      return { identity, containers: new Map(context.containers).set(report.containerId, child) };
    }),
    setLabels: assign(({ context, event }) =>
      event.type === "container.reported" ? { identity: withLabels(context.identity, event.report) } : {},
    ),
    setSourceIdentity: assign(({ context, event }) =>
      event.type === "source.found" ? { identity: withSourceIdentity(context.identity, event.pod) } : {},
    ),
  },
  guards: podGuards,
});

/** Events that a pod sends to its containers. A second step, since the types of the first are needed. */
const podSetup = baseSetup.extend({
  actions: {
    forwardReport: baseSetup.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const child = context.containers.get(event.report.containerId);
      if (child === undefined) return;
      // With the identity, so that a failed container can start over without another lookup.
      const pod = withReportedNames(context.identity, event);
      enqueue.sendTo(child, { type: "container.reported", report: event.report, pod });
    }),
    /** Adds to the identity what the report has and the pod lacks, and updates the policy filter. */
    mergeIdentity: baseSetup.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const named = withReportedNames(context.identity, event);
      const identity = withLabels(named, event.report);
      if (identity === context.identity) return;
      enqueue.assign({ identity });
      // The source may have the pod by this name or UID.
      if (named !== context.identity) enqueue("findPod");
      if (context.containers.size === 0) return;
      enqueue("updateFilter");
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: identity });
      }
    }),
    forwardReportUnidentified: baseSetup.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const child = context.containers.get(event.report.containerId);
      if (child === undefined) return;
      enqueue.sendTo(child, {
        type: "container.reported",
        report: event.report,
        pod: undefined,
      });
    }),
    removeContainer: baseSetup.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.gone") return;
      const containers = new Map(context.containers);
      containers.delete(event.containerId);
      enqueue.stopChild(childId(event.containerId));
      enqueue.assign({ containers });
    }),
    notifyContainersIdentified: baseSetup.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: context.identity });
      }
    }),
    notifyContainersRefused: baseSetup.enqueueActions(({ context, event, enqueue }) => {
      const refusal = { type: "identity.refused" as const, failure: toSourceConflict({ context, event }) };
      for (const child of context.containers.values()) enqueue.sendTo(child, refusal);
    }),
    notifyContainersPodDeleted: baseSetup.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) enqueue.sendTo(child, { type: "pod.deleted" });
    }),
  },
});

/** The source has the pod: its identity replaces the reported one. */
const onSourceFound = [
  {
    guard: "isOtherNamespaceInSource",
    target: "confirmed",
    actions: ["reportConflict", "setSourceIdentity", "updateFilter", "notifyContainersIdentified"],
  },
  { target: "confirmed", actions: ["setSourceIdentity", "updateFilter", "notifyContainersIdentified"] },
] as const; // const, so that the names stay literals that setup() checks

/** A report for a pod whose identity is from the source. */
const onContainerReported = [
  { guard: "isOtherNamespace", actions: "refuseForNamespace" },
  { guard: "isKnownContainer", actions: "forwardReport" },
  { actions: "spawnContainer" },
] as const; // const, so that the names stay literals that setup() checks

export const podMachine = podSetup.createMachine({
  id: "pod",
  context: ({ input }) => toPodContext(input),
  initial: "seen",
  on: { "container.gone": { actions: "removeContainer" } },
  states: {
    seen: {
      description: "A container of the pod was reported. The agent looks the pod up in the pod source.",
      entry: "findPod",
      on: {
        "container.reported": [
          { guard: "hasLabelsOfOtherNamespace", actions: "refuseForNamespace" },
          {
            guard: "hasLabelsOfKnownContainer",
            target: "reported",
            actions: ["setLabels", "forwardReport", "notifyContainersIdentified"],
          },
          {
            guard: "hasLabels",
            target: "reported",
            actions: ["setLabels", "notifyContainersIdentified", "spawnContainer"],
          },
          { guard: "isKnownContainer", actions: "forwardReportUnidentified" },
          { actions: "spawnUnidentifiedContainer" },
        ],
        "source.found": [
          {
            guard: "isOtherNamespaceInSource",
            target: "confirmed",
            // The source takes precedence: reports with another namespace are refused.
            actions: ["reportConflict", "notifyContainersRefused", "setSourceIdentity"],
          },
          { target: "confirmed", actions: ["setSourceIdentity", "notifyContainersIdentified"] },
        ],
        "source.missing": { target: "reported", actions: "notifyContainersIdentified" },
        "source.deleted": "deleted",
      },
    },
    reported: {
      description: "The pod source does not have the pod. Its identity comes from container reports.",
      on: {
        "container.reported": [
          { guard: "isOtherNamespace", actions: "refuseForNamespace" },
          { guard: "isKnownContainer", actions: ["mergeIdentity", "forwardReport"] },
          { actions: ["mergeIdentity", "spawnContainer"] },
        ],
        "container.gone": [
          { guard: "isLastContainer", target: "gone", actions: "removeContainer" },
          { actions: "removeContainer" },
        ],
        "source.found": onSourceFound,
        "source.deleted": "deleted",
      },
    },
    confirmed: {
      description: "The pod source has the pod. Its namespace, name and labels come from there.",
      on: {
        "container.reported": onContainerReported,
        "source.found": [
          {
            guard: "isOtherNamespaceInSource",
            actions: ["reportConflict", "setSourceIdentity", "updateFilter", "notifyContainersIdentified"],
          },
          { actions: ["setSourceIdentity", "updateFilter", "notifyContainersIdentified"] },
        ],
        "source.unlisted": "unlisted",
        "source.deleted": "deleted",
      },
    },
    unlisted: {
      description:
        "The last list of the pod source lacks the pod. Its last known identity stays until its containers have ended.",
      always: { guard: "isEmpty", target: "gone" },
      on: {
        "container.reported": onContainerReported,
        "source.found": onSourceFound,
        "source.deleted": "deleted",
      },
    },
    deleted: {
      description:
        "The pod was deleted. New containers are refused; running ones keep their policies until they have ended.",
      entry: "notifyContainersPodDeleted",
      always: { guard: "isEmpty", target: "gone" },
      on: {
        "container.reported": [
          { guard: "isKnownContainer", actions: "forwardReport" },
          { actions: "refuseForDeletion" },
        ],
        "source.found": onSourceFound,
      },
    },
    gone: {
      description: "The pod has no containers, and the pod source does not have it.",
      type: "final",
      entry: "reportPodGone",
    },
  },
});

export type PodLogic = TableLogic<typeof podMachine>;
