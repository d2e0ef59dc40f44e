// SPDX-License-Identifier: Apache-2.0

import {
  type Annotations,
  type ContainerSpec,
  type ContainerState,
  describeCgroupsPathError,
  detectRuntime,
  expandCgroupsPath,
  readIdentity,
  withoutForeignIdentity,
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
 * where the spec names none.
 */
export function toRequest(
  { spec, bundle, state }: Located,
  findCgroup: (pid: number) => string | undefined,
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
    annotations: spec.annotations,
    containerName: identity.containerName,
    containerID: identity.containerId,
    podName: identity.podName,
    podUID: identity.podUid,
    podNamespace: identity.podNamespace,
    containerImage: identity.containerImage,
    mounts: spec.mounts,
  });
}

/** The annotations that failCheck may believe. Without a spec, those of the OCI state stand in for its own. */
export function toTrustedAnnotations(
  spec: ContainerSpec | undefined,
  bundle: string | undefined,
  state: ContainerState | undefined,
): Annotations {
  const annotations: Annotations = spec?.annotations ?? state?.annotations ?? new Map<string, string>();
  const runtime = detectRuntime({
    annotations,
    cgroupsPath: spec?.cgroupsPath,
    bundle: bundle ?? state?.bundle,
    containerId: state?.id,
  });
  return withoutForeignIdentity(runtime, annotations);
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
