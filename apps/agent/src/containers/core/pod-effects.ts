// SPDX-License-Identifier: Apache-2.0
// The effects of the pod machine: ask the pod source, update the policy filter, answer the callers, write the log. Each
// effect answers its machine before it returns, and none may throw.

import { createTableLogic } from "@rthooks/machines/actor-logic";
import {
  type Failure,
  type PodArgs,
  type PodLogic,
  podIsDeleted,
  podMachine,
  toReportConflict,
  toSourceConflict,
} from "@rthooks/machines/pod";
import { ok } from "@rthooks/result";
import { toRefusal } from "../../base/core/refusal.ts";
import { attemptEffect } from "./attempt-effect.ts";
import { type ContainerEffects, hasAllLabels, provideContainerEffects } from "./container-effects.ts";
import { toPodFields } from "./container-log-fields.ts";

export interface PodEffects extends ContainerEffects {
  /** `key`: of the pod's actor. True where a container of the pod was released. */
  onPodGone(key: string): boolean;
}

/** The pod machine and its container machine with their effects. All pods run the same logic. */
export function providePodEffects(effects: PodEffects): PodLogic {
  const { podSource, containerPolicies, callers, log } = effects;
  const refuseReport = ({ context, event }: PodArgs, failure: Failure): void => {
    if (event.type !== "container.reported") return;
    const { containerId } = event.report;
    if (!context.containers.has(containerId)) effects.onGone(containerId, undefined);
    log.warn("hook call refused", { containerID: containerId, reason: failure.kind, err: failure.message });
    callers.answer(containerId, toRefusal(failure));
    effects.onRefused(event.report, failure);
  };
  const machine = podMachine.provide({
    actors: { container: provideContainerEffects(effects) },
    actions: {
      findPod: ({ context, self }) => {
        const pod = attemptEffect(() => ok(podSource.find(context.identity)));
        if (!pod.ok) log.error("pod source failed", { podUID: context.identity.uid, err: pod.error.message });
        if (!pod.ok || pod.value === undefined) return self.send({ type: "source.missing" });
        const { uid, namespace, name, labels } = pod.value;
        self.send({ type: "source.found", pod: { uid, namespace, name, labels } });
      },
      updateFilter: ({ context: { identity, containers } }) => {
        const { uid, name, namespace, labels, identitySource } = identity;
        containerPolicies.updatePod({
          podUid: uid,
          podName: name,
          namespace,
          labels,
          hasAllLabels: hasAllLabels(identity, podSource),
          containerIds: [...containers.keys()],
        });
        const message =
          identitySource === "pod-source" ? "pod updated by the pod source" : "pod labels set by the runtime";
        log.info(message, { ...toPodFields(identity), labels: labels.size });
      },
      refuseForNamespace: (args) => refuseReport(args, toReportConflict(args)),
      refuseForDeletion: (args) => refuseReport(args, podIsDeleted),
      reportConflict: (args) =>
        log.error("pod source contradicts the hook call", {
          ...toPodFields(args.context.identity),
          err: toSourceConflict(args).message,
        }),
      reportPodGone: ({ context, self }) => {
        if (effects.onPodGone(self.id)) log.info("pod gone", toPodFields(context.identity));
      },
    },
  });
  return createTableLogic(machine);
}
