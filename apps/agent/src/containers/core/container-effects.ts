// SPDX-License-Identifier: Apache-2.0
// The effects of the container machine: look up the cgroup, put it under its policies, answer the callers, write the
// log. Each effect answers its machine before it returns, and none may throw.

import type { Logger } from "@rthooks/log";
import { createTableLogic } from "@rthooks/machines/actor-logic";
import {
  type Cgroup,
  type ContainerContext,
  type ContainerLogic,
  type ContainerReport,
  containerMachine,
  type Failure,
  type PodIdentity,
  runsAlready,
} from "@rthooks/machines/pod";
import type { Labels } from "@rthooks/oci";
import { type Refusal, toRefusal } from "../../base/core/refusal.ts";
import type { Time } from "../../base/core/time.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import { attemptEffect } from "./attempt-effect.ts";
import { cgroupLevel } from "./cgroup-level.ts";
import { toContainerFields } from "./container-log-fields.ts";
import type { ContainerPolicies } from "./container-policies.ts";
import type { FailedContainers } from "./failed-containers.ts";
import type { HoldRecorder } from "./hold-times.ts";
import { findRoot } from "./root-cgroup.ts";
import type { WaitingCallers } from "./waiting-callers.ts";

export interface ContainerEffects {
  readonly podSource: PodSource;
  readonly containerPolicies: ContainerPolicies;
  readonly cgroupResolver: CgroupResolver;
  readonly time: Time;
  readonly log: Logger;
  readonly failureRetentionMs: number;
  readonly times: Pick<HoldRecorder, "begin" | "note">;
  readonly callers: Pick<WaitingCallers, "answer">;
  readonly failed: FailedContainers;
  /** The policy filter has the cgroup: it is the container's root. */
  onAdded(containerId: string, root: Cgroup): void;
  /** The policy filter does not have the container any more. */
  onRemoved(containerId: string): void;
  /** `context`: undefined for a container that has no actor. */
  onGone(containerId: string, context: ContainerContext | undefined): void;
  /** The pod refused the report. */
  onRefused(report: ContainerReport, failure: Failure): void;
  /** Whether this is the first refusal of a container that is listed as running: lists repeat it. */
  isFirstRefusal(containerId: string): boolean;
}

export function provideContainerEffects(effects: ContainerEffects): ContainerLogic {
  const { podSource, containerPolicies, cgroupResolver, time, log, callers, failed, times } = effects;
  const machine = containerMachine.provide({
    actions: {
      findCgroup: ({ context, self }) => {
        const { cgroupsPath } = context.report;
        // A lookup for a container that has a cgroup belongs to a repeated call.
        if (context.cgroup === undefined) times.begin(context.report, time.now());
        const root = attemptEffect(() => findRoot(context, cgroupResolver, time.unixMs));
        if (root.ok) self.send({ type: "cgroup.found", cgroupsPath, cgroup: root.value });
        else self.send({ type: "cgroup.refused", cgroupsPath, failure: root.error });
      },
      addToFilter: ({ context, self }) => {
        const { report, pod, cgroup } = context;
        const { containerId } = report;
        times.note(containerId, "filterMs", time.now());
        const added = attemptEffect(() =>
          containerPolicies.add({
            containerId,
            containerName: report.containerName,
            image: report.image,
            cgroupId: cgroup?.id ?? 0n,
            level: cgroup === undefined ? 0 : cgroupLevel(cgroup.path),
            ...(cgroup === undefined ? {} : { cgroupPath: cgroup.path }),
            podUid: pod?.uid,
            podName: pod?.name ?? "",
            namespace: pod?.namespace ?? "",
            labels: pod?.labels ?? noLabels,
            hasAllLabels: pod !== undefined && hasAllLabels(pod, podSource),
            runsAlready: runsAlready(report),
          }),
        );
        times.note(containerId, "writtenMs", time.now());
        if (added.ok && cgroup !== undefined) effects.onAdded(containerId, cgroup);
        if (added.ok) self.send({ type: "filter.added" });
        else self.send({ type: "filter.refused", failure: added.error });
      },
      removeFromFilter: ({ context: { report } }) => {
        containerPolicies.remove(report.containerId);
        effects.onRemoved(report.containerId);
      },
      release: ({ context, self }) => {
        const { containerId } = context.report;
        failed.delete(containerId);
        // Logged before the answer: the container's first instruction is later.
        log.info("container released", toContainerFields(context));
        callers.answer(containerId, undefined);
        times.note(containerId, "answeredMs", time.now());
        self.send({ type: "answer.sent" });
      },
      releaseAgain: ({ context, event }) => {
        log.info("container released again", toContainerFields(context));
        callers.answer(context.report.containerId, undefined);
        // The hold of a container that a list had already: its cgroup exists before the hook calls.
        if (!runsAlready(context) || !("report" in event)) return;
        times.begin(event.report, undefined);
        times.note(context.report.containerId, "answeredMs", time.now());
      },
      refuse: ({ context }) => {
        const { containerId } = context.report;
        const refusal = context.failure === undefined ? unexplained : toRefusal(context.failure);
        if (!runsAlready(context.report) || effects.isFirstRefusal(containerId)) {
          const fields = { ...toContainerFields(context), reason: refusal.kind, err: refusal.message };
          if (hasEndedUnseen(context)) log.debug("container ended before it was registered", fields);
          else log.warn("container refused", fields);
        }
        callers.answer(containerId, refusal);
        times.note(containerId, "answeredMs", time.now());
      },
      recordFailure: ({ context }) => failed.add(context.report.containerId),
      reportMoved: ({ context, event }) =>
        log.warn("cgroup of the container changed", {
          ...toContainerFields(context),
          newCgroupID: event.type === "cgroup.found" ? event.cgroup.id : undefined,
        }),
      reportGone: ({ context, event }) => {
        const { containerId } = context.report;
        if (!hasEndedUnseen(context)) {
          log.info("container gone", { ...toContainerFields(context), reason: event.type });
        }
        effects.onGone(containerId, context);
        callers.answer(containerId, goneWhileWaiting);
      },
    },
    delays: { failureRetention: () => effects.failureRetentionMs },
  });
  return createTableLogic(machine);
}

/** Whether all labels of the pod are known: then a policy that they do not match does not select it. */
export const hasAllLabels = ({ identitySource }: PodIdentity, { hasPods }: PodSource): boolean =>
  identitySource === "pod-source" || (identitySource === "nri" && !hasPods);

/** A list of running containers has it, and it ended before its cgroup was looked up: no refusal, and no end to report. */
const hasEndedUnseen = ({ report, cgroup, failure }: ContainerContext): boolean =>
  cgroup === undefined && failure?.kind === "cgroup-missing" && runsAlready(report);

const noLabels: Labels = new Map();
const unexplained: Refusal = { kind: "internal", message: "the reason was not recorded" };
const goneWhileWaiting: Refusal = {
  kind: "pod-gone",
  message: "the container was gone before it was registered",
};
