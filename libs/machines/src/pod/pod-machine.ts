// SPDX-License-Identifier: Apache-2.0
// One pod and its containers, which are its child actors. A container without a pod has a machine of its own
// with an undefined uid: then nobody else's end can be its end.
//
//   seen → reported (only hooks and NRI have named it) | confirmed (the pod source knows it) → gone
//   confirmed → unlisted (the source's last list lacks it) | deleted (the source says that it was deleted) → gone
//
// A pod without its object still has containers until their cgroups are gone, so `unlisted` and `deleted` end with the
// last container, and both go back to `confirmed` when the source has the pod again. Only a deletion refuses containers,
// and only new ones.
//
// Labels that an report brings are used at once, without waiting for the pod source. Once the source knows the
// pod, its labels win: NRI has them as they were when the pod's sandbox was made, and labels change while a pod runs.
// Of two report the later one wins, since a pod may get a new sandbox.
//
// findPod answers source.found or source.missing, at once or later; source.found, source.unlisted and source.deleted also
// come unasked when the source changes.

import { assign, setup } from "xstate";
import { createTableLogic, type TableLogic } from "../runners/actor-logic.ts";
import { containerMachine } from "./container-machine.ts";
import { notProvided } from "./domain.ts";
import {
  type ContainerRef,
  type PodContext,
  type PodEvent,
  type PodInput,
  podGuards,
  toSourceConflict,
  withLabels,
  withReportedNames,
} from "./pod-logic.ts";

const childId = (containerId: string): string => `container:${containerId}`;

const effects = setup({
  // The cast is XState's own way to name types; no value is behind it.
  types: {} as {
    context: PodContext;
    events: PodEvent;
    input: PodInput;
    children: Record<string, "container">;
  },
  actors: { container: createTableLogic(containerMachine) },
  actions: {
    /** Asks the pod source; answers source.found or source.missing. */
    findPod: notProvided("findPod"),
    /** The pod's labels, or its name, are other ones than the policy filter was told. */
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
    /** Starts the container while the pod source is being asked: `pod.identified` follows. */
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
    adoptLabels: assign(({ context, event }) =>
      event.type === "container.reported" ? { identity: withLabels(context.identity, event.report) } : {},
    ),
    /** The uid by which the hook calls a pod stays: a static pod has another one in the API. */
    adoptSourceIdentity: assign(({ context, event }) => {
      if (event.type !== "source.found") return {};
      const uid = context.identity.uid ?? event.pod.uid;
      return { identity: { ...event.pod, uid, identitySource: "pod-source" as const } };
    }),
  },
  guards: podGuards,
});

/** What a pod tells its containers; typed by the setup above, hence a second step. */
const podSetup = effects.extend({
  actions: {
    forwardReport: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const child = context.containers.get(event.report.containerId);
      if (child === undefined) return;
      // The identity goes along, so that a failed container can start over without asking for it.
      const pod = withReportedNames(context.identity, event);
      enqueue.sendTo(child, { type: "container.reported", report: event.report, pod });
    }),
    /** Takes what the report says of the pod beyond what is known; the containers' policies follow. */
    mergeIdentity: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const named = withReportedNames(context.identity, event);
      const identity = withLabels(named, event.report);
      if (identity === context.identity) return;
      enqueue.assign({ identity });
      // By this name or UID the source may know the pod.
      if (named !== context.identity) enqueue("findPod");
      if (context.containers.size === 0) return;
      enqueue("updateFilter");
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: identity });
      }
    }),
    forwardReportUnidentified: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.reported") return;
      const child = context.containers.get(event.report.containerId);
      if (child === undefined) return;
      enqueue.sendTo(child, {
        type: "container.reported",
        report: event.report,
        pod: undefined,
      });
    }),
    removeContainer: effects.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== "container.gone") return;
      const containers = new Map(context.containers);
      containers.delete(event.containerId);
      enqueue.stopChild(childId(event.containerId));
      enqueue.assign({ containers });
    }),
    notifyContainersIdentified: effects.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) {
        enqueue.sendTo(child, { type: "pod.identified", pod: context.identity });
      }
    }),
    notifyContainersRefused: effects.enqueueActions(({ context, event, enqueue }) => {
      const refusal = { type: "identity.refused" as const, failure: toSourceConflict({ context, event }) };
      for (const child of context.containers.values()) enqueue.sendTo(child, refusal);
    }),
    notifyContainersPodDeleted: effects.enqueueActions(({ context, enqueue }) => {
      for (const child of context.containers.values()) enqueue.sendTo(child, { type: "pod.deleted" });
    }),
  },
});

/** The source has the pod: its identity replaces what callers said. */
const onceKnown = [
  {
    guard: "isOtherNamespaceInSource",
    target: "confirmed",
    actions: ["reportConflict", "adoptSourceIdentity", "updateFilter", "notifyContainersIdentified"],
  },
  { target: "confirmed", actions: ["adoptSourceIdentity", "updateFilter", "notifyContainersIdentified"] },
] as const; // const, so that the names stay literals that setup() checks

/** A call for a pod whose identity is the source's. */
const onceIdentified = [
  {
    guard: "isOtherNamespace",
    actions: "refuseForNamespace",
  },
  { guard: "isKnownContainer", actions: "forwardReport" },
  { actions: "spawnContainer" },
] as const; // const, so that the names stay literals that setup() checks

export const podMachine = podSetup.createMachine({
  id: "pod",
  context: ({ input }) => ({
    identity: { ...input, labels: new Map<string, string>(), identitySource: "hook" },
    containers: new Map<string, ContainerRef>(),
  }),
  initial: "seen",
  on: { "container.gone": { actions: "removeContainer" } },
  states: {
    seen: {
      description: "A hook told of it; the pod source is being asked.",
      entry: "findPod",
      on: {
        "container.reported": [
          {
            guard: "hasLabelsOfOtherNamespace",
            actions: "refuseForNamespace",
          },
          {
            guard: "hasLabelsOfKnownContainer",
            target: "reported",
            actions: ["adoptLabels", "forwardReport", "notifyContainersIdentified"],
          },
          {
            guard: "hasLabels",
            target: "reported",
            actions: ["adoptLabels", "notifyContainersIdentified", "spawnContainer"],
          },
          { guard: "isKnownContainer", actions: "forwardReportUnidentified" },
          { actions: "spawnUnidentifiedContainer" },
        ],
        "source.found": [
          {
            guard: "isOtherNamespaceInSource",
            target: "confirmed",
            // The source is right about the pod; the hook calls that said otherwise are refused.
            actions: ["reportConflict", "notifyContainersRefused", "adoptSourceIdentity"],
          },
          { target: "confirmed", actions: ["adoptSourceIdentity", "notifyContainersIdentified"] },
        ],
        "source.missing": { target: "reported", actions: "notifyContainersIdentified" },
        "source.deleted": "deleted",
      },
    },
    reported: {
      description: "Only hooks and NRI have named it; its labels are known if NRI has.",
      on: {
        "container.reported": [
          {
            guard: "isOtherNamespace",
            actions: "refuseForNamespace",
          },
          { guard: "isKnownContainer", actions: ["mergeIdentity", "forwardReport"] },
          { actions: ["mergeIdentity", "spawnContainer"] },
        ],
        "container.gone": [
          { guard: "isLastContainer", target: "gone", actions: "removeContainer" },
          { actions: "removeContainer" },
        ],
        "source.found": onceKnown,
        "source.deleted": "deleted",
      },
    },
    confirmed: {
      description: "The pod source knows it: namespace, name and labels are the source's.",
      on: {
        "container.reported": onceIdentified,
        "source.found": [
          {
            guard: "isOtherNamespaceInSource",
            actions: ["reportConflict", "adoptSourceIdentity", "updateFilter", "notifyContainersIdentified"],
          },
          { actions: ["adoptSourceIdentity", "updateFilter", "notifyContainersIdentified"] },
        ],
        "source.unlisted": "unlisted",
        "source.deleted": "deleted",
      },
    },
    unlisted: {
      description: "The source's last list lacks it: what the source said before holds, until it says more.",
      always: { guard: "isEmpty", target: "gone" },
      on: {
        "container.reported": onceIdentified,
        "source.found": onceKnown,
        "source.deleted": "deleted",
      },
    },
    deleted: {
      description:
        "Deleted in the pod source; its containers stay under their policies until they have ended.",
      entry: "notifyContainersPodDeleted",
      always: { guard: "isEmpty", target: "gone" },
      on: {
        "container.reported": [
          { guard: "isKnownContainer", actions: "forwardReport" },
          { actions: "refuseForDeletion" },
        ],
        "source.found": onceKnown,
      },
    },
    gone: {
      description: "No container of it is left, and the pod source does not have it.",
      type: "final",
      entry: "reportPodGone",
    },
  },
});

export type PodLogic = TableLogic<typeof podMachine>;
