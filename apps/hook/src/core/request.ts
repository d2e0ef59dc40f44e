// SPDX-License-Identifier: Apache-2.0

import {
  type Annotations,
  type ContainerSpec,
  type ContainerState,
  describeCgroupsPathError,
  detectRuntime,
  expandCgroupsPath,
  LEARNED_BY_KEY,
  POD_LABELS_KEY,
  type PodFromEnvironment,
  readIdentity,
  withoutForeignIdentity,
  withoutReservedKeys,
  withPod,
} from "@rthooks/oci";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import { err, ok, type Result } from "@rthooks/result";

export type Request = RuntimeHookMessage;

export interface Located {
  readonly spec: ContainerSpec;
  /** Absolute, where the spec was found: the bundle. */
  readonly bundle: string;
  readonly state: ContainerState | undefined;
}

/**
 * `findCgroup` reads the cgroup that the runtime has already put the container's first process into; asked only
 * where the spec names none. `pod` is what the NRI plugin that gave the container this hook has of the runtime: it
 * comes before all that annotations say.
 */
export function toRequest(
  { spec, bundle, state }: Located,
  findCgroup: (pid: number) => string | undefined,
  pod?: PodFromEnvironment,
): Result<Request, string> {
  const cgroupsPath = toCgroupsPath(spec, state, findCgroup);
  if (!cgroupsPath.ok) return cgroupsPath;
  const runtime = detectRuntime({
    annotations: spec.annotations,
    cgroupsPath: spec.cgroupsPath,
    bundle,
    containerId: state?.id,
  });
  const identity = readIdentity(runtime, spec.annotations, state?.id);
  return ok({
    cgroupsPath: cgroupsPath.value,
    rootDir: toRootDir(bundle, spec.rootPath),
    annotations: toRequestAnnotations(spec.annotations, pod),
    containerName: identity.containerName,
    containerID: identity.containerId,
    podName: pod?.name ?? identity.podName,
    podUID: pod?.uid ?? identity.podUid,
    podNamespace: pod?.namespace ?? identity.podNamespace,
    containerImage: identity.containerImage,
    mounts: spec.mounts,
  });
}

/** The annotations that failCheck may believe. Without a spec, those of the OCI state stand in for its own. */
export function toTrustedAnnotations(
  spec: ContainerSpec | undefined,
  bundle: string | undefined,
  state: ContainerState | undefined,
  pod?: PodFromEnvironment,
): Annotations {
  const annotations: Annotations = spec?.annotations ?? state?.annotations ?? new Map<string, string>();
  const runtime = detectRuntime({
    annotations,
    cgroupsPath: spec?.cgroupsPath,
    bundle: bundle ?? state?.bundle,
    containerId: state?.id,
  });
  const own = withoutReservedKeys(annotations);
  return pod === undefined ? withoutForeignIdentity(runtime, own) : withPod(own, pod);
}

/** Reserved keys in a spec are the pod author's, whatever they claim. */
function toRequestAnnotations(annotations: Annotations, pod: PodFromEnvironment | undefined): Annotations {
  const own = withoutReservedKeys(annotations);
  return pod === undefined
    ? own
    : new Map(own).set(POD_LABELS_KEY, pod.labelsJson).set(LEARNED_BY_KEY, "hook");
}

function toCgroupsPath(
  spec: ContainerSpec,
  state: ContainerState | undefined,
  findCgroup: (pid: number) => string | undefined,
): Result<string, string> {
  if (spec.cgroupsPath !== undefined && spec.cgroupsPath !== "") {
    const path = expandCgroupsPath(spec.cgroupsPath);
    return path.ok ? path : err(`linux.cgroupsPath ${describeCgroupsPathError(path.error)}`);
  }
  const found = state?.pid === undefined ? undefined : findCgroup(state.pid);
  // An empty path would name the root of all cgroups, and with it every process of the host.
  return found === undefined || found === "/" ? err("the spec has no linux.cgroupsPath") : ok(found);
}

function toRootDir(bundle: string, rootPath: string | undefined): string {
  if (rootPath === undefined || rootPath === "") return "";
  return rootPath.startsWith("/") ? rootPath : `${bundle}/${rootPath}`;
}
