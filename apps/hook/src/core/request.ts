// SPDX-License-Identifier: Apache-2.0

import {
  type Annotations,
  type ContainerSpec,
  detectRuntime,
  findContradictoryIdentity,
  locateCgroup,
  type OciState,
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

export interface LocatedSpec {
  readonly spec: ContainerSpec;
  /** Absolute path of the bundle, the directory of the spec. */
  readonly bundle: string;
  readonly state: OciState | undefined;
}

export interface LoadedRequest {
  readonly request: RuntimeHookMessage;
  /** For the log, see locateCgroup. */
  readonly cgroupRemark: string | undefined;
}

/** `pod` comes from the NRI plugin that injected the hook, which has it from the runtime: it takes precedence over annotations. */
export function toRequest(
  { spec, bundle, state }: LocatedSpec,
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

/** The annotations that the fail check trusts. Without a spec, those of the OCI state. */
export function toTrustedAnnotations(
  spec: ContainerSpec | undefined,
  bundle: string | undefined,
  state: OciState | undefined,
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
 * The annotations of the spec, unchecked: the fail check denies if any namespace key in them holds a namespace that is not
 * allowed. Empty where the plugin passed the pod.
 */
export function toWrittenAnnotations(
  spec: ContainerSpec | undefined,
  state: OciState | undefined,
  pod?: PodFromEnvironment,
): Annotations {
  if (pod !== undefined) return new Map<string, string>();
  return spec?.annotations ?? state?.annotations ?? new Map<string, string>();
}

/** Removes reserved keys from the spec's annotations, since a pod's author may have written them. */
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
