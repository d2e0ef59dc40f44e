// SPDX-License-Identifier: Apache-2.0
// Pods and containers as NRI tells of them, in the words of this project.

import {
  detectRuntime,
  POD_LABELS_KEY,
  type Pod,
  REPORT_SOURCE_KEY,
  type ReportSource,
  RUNTIME_HANDLER_KEY,
  readIdentity,
  renderLabels,
  toPodLabels,
  withoutReservedKeys,
  withPod,
} from "@rthooks/oci";
import type { Container, PodSandbox } from "@rthooks/proto/nri";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import { ok, type Result } from "@rthooks/result";

/** Labels are the sandbox's: those of a container may come from its image. */
export function toPod(sandbox: PodSandbox): Pod {
  return {
    uid: sandbox.uid,
    name: sandbox.name,
    namespace: sandbox.namespace,
    labels: toPodLabels(sandbox.labels),
  };
}

/** Since NRI 0.12.2; before that in the key of the runtime that made the container: a pod author may add another's. */
function findImage({ id, annotations, image, linux }: Container): string {
  if (image !== undefined && image.name !== "") return image.name;
  const evidence = { annotations, cgroupsPath: linux?.cgroupsPath, bundle: undefined, containerId: id };
  return readIdentity(detectRuntime(evidence), annotations, id).containerImage;
}

export function toRequest(
  pod: Pod,
  container: Container,
  source: ReportSource,
  findCgroupPath: (container: Container) => Result<string, string>,
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

/** What the fail check may believe of the container; `handler` is the runtime's. */
export const toTrustedAnnotations = (
  pod: Pod,
  container: Container,
  handler: string,
): ReadonlyMap<string, string> =>
  new Map(withPod(withoutReservedKeys(container.annotations), pod)).set(RUNTIME_HANDLER_KEY, handler);
