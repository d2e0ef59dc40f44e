// SPDX-License-Identifier: Apache-2.0

import {
  type Annotations,
  type ContainerSpec,
  type ContainerState,
  detectRuntime,
  findContradictoryIdentity,
  locateCgroup,
  POD_LABELS_KEY,
  type PodFromEnvironment,
  type ProcCgroupReader,
  REPORT_SOURCE_KEY,
  readIdentity,
  withOwnIdentity,
  withoutReservedKeys,
  withPod,
} from "@rthooks/oci";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import { err, ok, type Result } from "@rthooks/result";

export interface Located {
  readonly spec: ContainerSpec;
  /** Absolute, where the spec was found: the bundle. */
  readonly bundle: string;
  readonly state: ContainerState | undefined;
}

export interface LoadedRequest {
  readonly request: RuntimeHookMessage;
  /** What the log is to say of the cgroup, see locateCgroup. */
  readonly cgroupRemark: string | undefined;
}

/** `pod` is what the NRI plugin that gave the container this hook has of the runtime: it comes before all annotations. */
export function toRequest(
  { spec, bundle, state }: Located,
  cgroups: ProcCgroupReader,
  pod?: PodFromEnvironment,
): Result<LoadedRequest, string> {
  const cgroup = locateCgroup(spec.cgroupsPath, state?.pid, cgroups);
  if (!cgroup.ok) return cgroup;
  const runtime = detectRuntime({
    annotations: spec.annotations,
    cgroupsPath: spec.cgroupsPath,
    bundle,
    containerId: state?.id,
  });
  const contradiction = pod === undefined ? findContradictoryIdentity(runtime, spec.annotations) : undefined;
  if (contradiction !== undefined) return err(contradiction);
  const identity = readIdentity(runtime, spec.annotations, state?.id);
  const request: RuntimeHookMessage = {
    cgroupsPath: cgroup.value.path,
    rootDir: toRootDir(bundle, spec.rootPath),
    annotations: toRequestAnnotations(spec.annotations, pod),
    containerName: identity.containerName,
    containerID: identity.containerId,
    podName: pod?.name ?? identity.podName,
    podUID: pod?.uid ?? identity.podUid,
    podNamespace: pod?.namespace ?? identity.podNamespace,
    containerImage: identity.containerImage,
    mounts: spec.mounts,
  };
  return ok({ request, cgroupRemark: cgroup.value.remark });
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
  return pod === undefined ? withOwnIdentity(runtime, own) : withPod(own, pod);
}

/**
 * The annotations as the spec has them: a namespace under any key of theirs must be one that may start without an agent.
 * None where the plugin said which pod it is.
 */
export function toWrittenAnnotations(
  spec: ContainerSpec | undefined,
  state: ContainerState | undefined,
  pod?: PodFromEnvironment,
): Annotations {
  if (pod !== undefined) return new Map<string, string>();
  return spec?.annotations ?? state?.annotations ?? new Map<string, string>();
}

/** Reserved keys in a spec are the pod author's, whatever they claim. */
function toRequestAnnotations(annotations: Annotations, pod: PodFromEnvironment | undefined): Annotations {
  const own = withoutReservedKeys(annotations);
  return pod === undefined
    ? own
    : new Map(own).set(POD_LABELS_KEY, pod.labelsJson).set(REPORT_SOURCE_KEY, "hook");
}

function toRootDir(bundle: string, rootPath: string | undefined): string {
  if (rootPath === undefined || rootPath === "") return "";
  return rootPath.startsWith("/") ? rootPath : `${bundle}/${rootPath}`;
}
