// SPDX-License-Identifier: Apache-2.0
// What the pod lifecycle machines do to the world: ask the pod source, look up cgroups, keep the policy
// filter, answer callers, write the log. Each effect answers its machine at once. None may throw: an actor
// that ends in an error would leave its callers waiting.

import type { LogFields, Logger } from "@rthooks/log";
import {
  type Cgroup,
  type ContainerContext,
  type ContainerLogic,
  type ContainerReport,
  containerMachine,
  createTableLogic,
  type PodIdentity,
  type PodLogic,
  podMachine,
  runsAlready,
} from "@rthooks/machines/pod";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ActorOptions, AnyActorLogic } from "xstate";
import { type Refusal, toRefusal } from "../../base/core/refusal.ts";
import type { Time } from "../../base/core/time.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { isContainerPlace } from "../../cgroups/core/container-place.ts";
import type { NestedWatch } from "../../cgroups/core/nested-watch.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import { chooseRoot } from "./container-roots.ts";

export interface Dependencies {
  readonly podSource: PodSource;
  readonly policyFilter: PolicyFilter;
  readonly cgroupResolver: CgroupResolver;
  readonly nestedWatch: NestedWatch;
  readonly time: Time;
  readonly log: Logger;
  readonly failureRetentionMs: number;
  /** For tests and for the inspector. */
  readonly actorOptions?: Pick<ActorOptions<AnyActorLogic>, "clock" | "inspect">;
}

export interface Callbacks {
  /** Answers everybody who waits for the container; gives how many. */
  answer(containerId: string, refusal: Refusal | undefined): number;
  noteFailure(containerId: string): void;
  /** It has started after all. */
  forgetFailure(containerId: string): void;
  forgetContainer(containerId: string): void;
  /** From now on the cgroup is the container's root. */
  noteRoot(containerId: string, cgroup: Cgroup): void;
  /** It has none. */
  forgetRoot(containerId: string): void;
  /** There may be cgroups below its own that are not followed yet. */
  lookBelow(containerId: string): void;
  /** By the id of its actor; true where a container of it was let go. */
  forgetPod(podKey: string): boolean;
  /** It was listed as running, and cannot be taken; true at the first time. */
  noteOut(containerId: string): boolean;
}

/** The pod machine with its effects; made once, as every pod runs the same. */
export function providePodEffects(dependencies: Dependencies, callbacks: Callbacks): PodLogic {
  const { podSource, policyFilter, log } = dependencies;
  const machine = podMachine.provide({
    actors: { container: provideContainerEffects(dependencies, callbacks) },
    actions: {
      findPod: ({ context, self }) => {
        const pod = attempt(() => ok(podSource.find(context.identity)));
        if (!pod.ok) log.error("pod source failed", { podUID: context.identity.uid, err: pod.error.message });
        if (!pod.ok || pod.value === undefined) return self.send({ type: "source.missing" });
        const { uid, namespace, name, labels } = pod.value;
        self.send({ type: "source.found", pod: { uid, namespace, name, labels } });
      },
      updateFilter: ({ context }) => {
        const { uid, name, namespace, labels, identitySource } = context.identity;
        const containerIds = context.containers.keys();
        policyFilter.updatePod({
          podUid: uid,
          podName: name,
          namespace,
          labels,
          hasAllLabels: knowsLabels(identitySource, podSource),
          containerIds,
        });
        const message =
          identitySource === "pod-source"
            ? "pod updated by the pod source"
            : "pod's labels learned from the runtime";
        log.info(message, { ...podFields(context.identity), labels: labels.size });
      },
      refuseAnnouncement: ({ context, event }, { failure }) => {
        if (event.type !== "container.reported") return;
        const { containerId } = event.report;
        if (!context.containers.has(containerId)) callbacks.forgetContainer(containerId);
        log.warn("hook call refused", {
          containerID: containerId,
          reason: failure.kind,
          err: failure.message,
        });
        callbacks.answer(containerId, toRefusal(failure));
      },
      reportConflict: ({ context }, { failure }) =>
        log.error("pod source contradicts the hook", {
          ...podFields(context.identity),
          err: failure.message,
        }),
      reportPodGone: ({ context, self }) => {
        if (callbacks.forgetPod(self.id)) log.info("pod gone", podFields(context.identity));
      },
    },
  });
  return createTableLogic(machine);
}

function provideContainerEffects(dependencies: Dependencies, callbacks: Callbacks): ContainerLogic {
  const { podSource, policyFilter, cgroupResolver, nestedWatch, time, log, failureRetentionMs } =
    dependencies;
  const refuse = (context: ContainerContext): void => {
    const { failure } = context;
    const refusal = failure === undefined ? unexplained : toRefusal(failure);
    const fields = { ...fieldsOf(context), reason: refusal.kind, err: refusal.message };
    // What is listed as running comes again and again, and has most often ended: then nothing was refused.
    const isNews = !runsAlready(context.report) || callbacks.noteOut(context.report.containerId);
    if (isNews && isOver(context)) log.debug("container is over", fields);
    else if (isNews) log.warn("container refused", fields);
    callbacks.answer(context.report.containerId, refusal);
  };
  const machine = containerMachine.provide({
    actions: {
      findCgroup: ({ context, self }) => {
        const { cgroupsPath } = context.report;
        const cgroup = attempt(() => findRoot(context, cgroupResolver, time));
        if (cgroup.ok) self.send({ type: "cgroup.found", cgroupsPath, cgroup: cgroup.value });
        else self.send({ type: "cgroup.refused", cgroupsPath, failure: cgroup.error });
      },
      addToFilter: ({ context, self }) => {
        const { report, pod, cgroup } = context;
        const { containerId } = report;
        const added = attempt(() =>
          policyFilter.add({
            containerId,
            containerName: report.containerName,
            image: report.image,
            cgroupId: cgroup?.id ?? 0n,
            nestedIds: cgroup === undefined ? [] : findHeldBelow(report, cgroup, cgroupResolver),
            podUid: pod?.uid,
            podName: pod?.name ?? "",
            namespace: pod?.namespace ?? "",
            labels: pod?.labels ?? noLabels,
            hasAllLabels: pod !== undefined && knowsLabels(pod.identitySource, podSource),
            runsAlready: runsAlready(report),
          }),
        );
        if (added.ok && cgroup !== undefined) callbacks.noteRoot(containerId, cgroup);
        if (added.ok) self.send({ type: "filter.added" });
        else self.send({ type: "filter.refused", failure: added.error });
      },
      removeFromFilter: ({ context: { report } }) => {
        policyFilter.remove(report.containerId);
        callbacks.forgetRoot(report.containerId);
      },
      // The line before the answer: its time is then never later than the container's first instruction.
      release: ({ context, self }) => {
        const { containerId } = context.report;
        callbacks.forgetFailure(containerId);
        log.info("container released", fieldsOf(context));
        // Before the answer too: what the container makes below its cgroup comes after it, and is heard of.
        if (context.cgroup !== undefined) nestedWatch.begin(containerId, context.cgroup);
        callbacks.answer(containerId, undefined);
        self.send({ type: "answer.sent" });
        callbacks.lookBelow(containerId);
      },
      releaseAgain: ({ context }) => {
        log.info("container released again", fieldsOf(context));
        callbacks.answer(context.report.containerId, undefined);
      },
      refuse: ({ context }) => refuse(context),
      recordFailure: ({ context }) => callbacks.noteFailure(context.report.containerId),
      reportMoved: ({ context, event }) =>
        log.warn("container has another cgroup than before", {
          ...fieldsOf(context),
          newCgroupID: event.type === "cgroup.found" ? event.cgroup.id : undefined,
        }),
      reportGone: ({ context, event }) => {
        const { containerId } = context.report;
        if (!isOver(context)) log.info("container gone", { ...fieldsOf(context), reason: event.type });
        callbacks.forgetContainer(containerId);
        nestedWatch.end(containerId);
        callbacks.answer(containerId, goneWhileWaiting);
      },
    },
    delays: { failureRetention: () => failureRetentionMs },
  });
  return createTableLogic(machine);
}

/** The container's root, by the call and by what is known of it. */
function findRoot(
  { report, cgroup: known }: ContainerContext,
  resolver: CgroupResolver,
  time: Time,
): Result<Cgroup, Refusal> {
  const { containerId, cgroupsPath, answerByMs } = report;
  const found = resolver.resolve(cgroupsPath);
  if (!found.ok) {
    if (found.error.kind !== "cgroup-missing" || time.unixMs() < answerByMs) return found;
    const message =
      "the caller stopped waiting before the agent answered, and the container's cgroup is gone";
    return err({ kind: "too-late", message });
  }
  const root = chooseRoot(
    known,
    found.value,
    () => known !== undefined && resolver.inspect(known) === "gone",
  );
  if (root === undefined) {
    const message = `container ${containerId} has the cgroup ${known?.path}, which still exists: it is not in ${cgroupsPath}`;
    return err({ kind: "cgroup-conflict", message });
  }
  const others =
    known?.id !== root.id && !isContainerPlace(root.path) ? resolver.findOthersBelow(root) : undefined;
  if (others === undefined) return ok(root);
  const message = `cgroupsPath ${cgroupsPath} holds ${others}, which is not container ${containerId}'s`;
  return err({ kind: "bad-request", message });
}

/**
 * What the runtime has made below the cgroup of a container that is held, such as crun's child: its first process runs
 * there. What one that runs has made is looked for later, bit by bit.
 */
function findHeldBelow(report: ContainerReport, cgroup: Cgroup, resolver: CgroupResolver): readonly bigint[] {
  if (runsAlready(report)) return [];
  if (resolver.inspect(cgroup) !== "parent") return [];
  return resolver.listNested(cgroup)?.cgroups.map(({ id }) => id) ?? [];
}

/** It was said to run, and had ended by then. */
const isOver = ({ report, cgroup, failure }: ContainerContext): boolean =>
  cgroup === undefined && failure?.kind === "cgroup-missing" && runsAlready(report);

/** Whether all labels of a pod are known: then the policies that they do not match are not about it. */
const knowsLabels = (identitySource: PodIdentity["identitySource"], { hasPods }: PodSource): boolean =>
  identitySource === "pod-source" || (identitySource === "nri" && !hasPods);

const noLabels: ReadonlyMap<string, string> = new Map();
const unexplained: Refusal = { kind: "internal", message: "the reason was not recorded" };
const goneWhileWaiting: Refusal = {
  kind: "pod-gone",
  message: "the container was gone before it was registered",
};

/** A bug in an effect must end as a refusal, not as a dead actor. */
function attempt<T>(effect: () => Result<T, Refusal>): Result<T, Refusal> {
  try {
    return effect();
  } catch (error) {
    return err({ kind: "internal", message: describeError(error) });
  }
}

function podFields(pod: PodIdentity | undefined): LogFields {
  return { podUID: pod?.uid, namespace: pod?.namespace || undefined, pod: pod?.name || undefined };
}

function fieldsOf({ report, pod, cgroup }: ContainerContext): LogFields {
  return {
    namespace: (pod?.namespace ?? report.podNamespace) || undefined,
    pod: (pod?.name ?? report.podName) || undefined,
    container: report.containerName || undefined,
    containerID: report.containerId,
    podUID: pod?.uid,
    identitySource: pod?.identitySource,
    cgroup: cgroup?.path ?? report.cgroupsPath,
    cgroupID: cgroup?.id,
  };
}
