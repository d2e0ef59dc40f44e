// SPDX-License-Identifier: Apache-2.0
// From NRI's pods and containers to the agent's requests and the fail check's annotations.

import type { NriContainer, NriPodSandbox } from "@rthooks/nri";
import {
  detectRuntime,
  type NriPod,
  POD_LABELS_KEY,
  REPORT_SOURCE_KEY,
  type ReportSource,
  RUNTIME_HANDLER_KEY,
  readIdentity,
  renderLabels,
  toPodLabels,
  withoutReservedKeys,
  withPod,
} from "@rthooks/oci";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import { ok, type Result } from "@rthooks/result";

/** The sandbox's labels: a container's may come from its image. */
export function toPod(sandbox: NriPodSandbox): NriPod {
  return {
    uid: sandbox.uid,
    name: sandbox.name,
    namespace: sandbox.namespace,
    labels: toPodLabels(sandbox.labels),
  };
}

/**
 * The field exists since NRI 0.12.2. Before that, the annotation of the runtime that created the container: a pod's author
 * can set the keys of other runtimes.
 */
function findImage({ id, annotations, image, linux }: NriContainer): string {
  if (image !== undefined && image.name !== "") return image.name;
  const evidence = { annotations, cgroupsPath: linux?.cgroupsPath, bundle: undefined, containerId: id };
  return readIdentity(detectRuntime(evidence), annotations, id).containerImage;
}

export function toRequest(
  pod: NriPod,
  container: NriContainer,
  source: ReportSource,
  findCgroupPath: (container: NriContainer) => Result<string, string>,
): Result<RuntimeHookMessage, string> {
  const path = findCgroupPath(container);
  if (!path.ok) return path;
  const annotations = new Map(withoutReservedKeys(container.annotations));
  annotations.set(POD_LABELS_KEY, renderLabels(pod.labels));
  annotations.set(REPORT_SOURCE_KEY, source);
  return ok({
    cgroupsPath: path.value,
    rootDir: "",
    annotations,
    containerName: container.name,
    containerID: container.id,
    podName: pod.name,
    podUID: pod.uid,
    podNamespace: pod.namespace,
    containerImage: findImage(container),
    mounts: container.mounts,
  });
}

/** The annotations that the fail check trusts; `handler` is the runtime's. */
export const toTrustedAnnotations = (
  pod: NriPod,
  container: NriContainer,
  handler: string,
): ReadonlyMap<string, string> =>
  new Map(withPod(withoutReservedKeys(container.annotations), pod)).set(RUNTIME_HANDLER_KEY, handler);
