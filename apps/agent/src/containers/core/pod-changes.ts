// SPDX-License-Identifier: Apache-2.0
// Passes changes of the pod source to the actors of the pods concerned.

import type { PodChange } from "../../pods/core/pod-source.ts";
import type { PodActors } from "./pod-actors.ts";
import { findRelation, type PodKeys } from "./pod-keys.ts";

export function forwardPodChange(
  { kind, pod }: PodChange,
  podActors: Pick<PodActors, "find">,
  podKeys: PodKeys,
): void {
  if (kind === "containers") return;
  const { uid, namespace, name, labels } = pod;
  for (const key of podKeys.list(pod)) {
    const actor = podActors.find(key);
    const relation = actor && findRelation(actor.getSnapshot().context.identity, pod);
    if (relation === undefined) continue;
    if (kind === "changed") actor?.send({ type: "source.found", pod: { uid, namespace, name, labels } });
    // A static pod runs on without its mirror in the API, and may start containers.
    else if (kind === "deleted" && relation === "itself") actor?.send({ type: "source.deleted" });
    else actor?.send({ type: "source.unlisted" });
  }
}
