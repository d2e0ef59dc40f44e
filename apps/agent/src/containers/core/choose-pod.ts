// SPDX-License-Identifier: Apache-2.0
// Chooses the pod of a report by its key.

import type { ContainerReport } from "@rthooks/machines/pod";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { PodActors } from "./pod-actors.ts";
import { type PodKeys, toNameKey, toPodKey } from "./pod-keys.ts";

export interface ChoosePodOptions {
  readonly podActors: Pick<PodActors, "find" | "findKey">;
  readonly podKeys: PodKeys;
  readonly podSource: Pick<PodSource, "find">;
  /** Removes the container from the record if it failed or has ended. */
  removeIfOver(containerId: string): void;
}

/** The pod that the report names; for a container on record, the pod of the record. */
export function choosePod(report: ContainerReport, options: ChoosePodOptions): Result<string, Refusal> {
  const { podActors, podKeys, removeIfOver } = options;
  const { podUid, containerId } = report;
  const key = toPodKey(report);
  const recordedKey = podActors.findKey(containerId);
  if (recordedKey === undefined) return ok(findNewerPod(report, options) ?? key);
  if (recordedKey === key) return ok(key);
  const recordedUid = podActors.find(recordedKey)?.getSnapshot().context.identity.uid;
  // An earlier call, or the pod source, has named the same pod with more fields.
  if (podUid === undefined || podUid === recordedUid) return ok(recordedKey);
  if (recordedUid === undefined) {
    podKeys.addUid(recordedKey, podUid);
    return ok(recordedKey);
  }
  removeIfOver(containerId);
  if (podActors.findKey(containerId) === undefined) return ok(key);
  const message = `container ${containerId} is on record in pod ${recordedUid}, not in ${podUid}`;
  return err({ kind: "pod-conflict", message });
}

/** A report without a UID is about the pod that has the name now, not about an older one whose containers still run. */
function findNewerPod(
  { podUid, podNamespace: namespace, podName: name }: ContainerReport,
  { podActors, podSource }: ChoosePodOptions,
): string | undefined {
  if (podUid !== undefined) return undefined;
  const recordedUid = podActors.find(toNameKey(namespace, name))?.getSnapshot().context.identity.uid;
  if (recordedUid === undefined) return undefined;
  const uid = podSource.find({ uid: undefined, namespace, name })?.uid;
  return uid === recordedUid ? undefined : uid;
}
