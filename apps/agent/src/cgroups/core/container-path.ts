// SPDX-License-Identifier: Apache-2.0
// Finds the path of a container's root cgroup in the path that a caller gives. The caller may give a cgroup below the root
// (where the process is now), or one that holds other containers, too.

import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { parsePodElement } from "./pod-uid.ts";

/** The runtimes' prefixes to the container id in the name of a cgroup. */
const runtimePrefix = /^(?:cri-containerd|crio|libpod|docker|containerd|nerdctl)-/;
const scopeSuffix = ".scope";
const sliceSuffix = ".slice";
/** Name of the child that crun makes below a systemd scope on cgroup v2 (src/libcrun/cgroup-systemd.c). */
const crunChild = "container";
/** The kubelet's cgroups without the systemd driver (pkg/kubelet/cm/qos_container_manager_linux.go). */
const kubepods = "kubepods";
const qosClasses: readonly string[] = ["burstable", "besteffort"];

/** The container id in the name of a container's cgroup: without the runtime's prefix and systemd's suffix. */
export function parseContainerElement(name: string): string {
  const unit = name.endsWith(scopeSuffix) ? name.slice(0, -scopeSuffix.length) : name;
  return unit.replace(runtimePrefix, "");
}

/** The container id in the name of the root cgroup. */
export function findContainerId(cgroupsPath: string): string {
  const own = dropInner(cgroupsPath.split("/"));
  return parseContainerElement(own[own.length - 1] ?? "");
}

/**
 * The path of the container's root cgroup, which is `cgroupsPath` or a part of it. Refused for a cgroup that by its name
 * holds other cgroups: a systemd slice, `/kubepods`, a QoS class, a pod.
 */
export function findContainerPath(cgroupsPath: string, containerId: string): Result<string, Refusal> {
  const elements = cgroupsPath.split("/");
  const named = elements.findIndex((name) => name !== "" && parseContainerElement(name) === containerId);
  const own = named === -1 ? dropInner(elements) : elements.slice(0, named + 1);
  const shared = describeShared(own);
  if (shared === undefined) return ok(own.join("/"));
  const message = `cgroupsPath ${own.join("/")} is ${shared}, which holds other cgroups than container ${containerId}'s`;
  return err({ kind: "bad-request", message });
}

/** Whether a cgroup of this name, below a container's, holds pods or belongs to another container. */
export const isForeign = (name: string): boolean =>
  name === kubepods ||
  name.endsWith(sliceSuffix) ||
  parsePodElement(name) !== undefined ||
  isContainerName(name);

/** Whether CRI runtimes, docker or podman give a container's cgroup such a name. */
export const isContainerName = (name: string): boolean => /[0-9a-f]{64}(?:\.scope)?$/.test(name);

/** Whether the path is that of one container: it has a container's name, or its parent is a pod's cgroup. */
export function isContainerPath(cgroupsPath: string): boolean {
  const elements = cgroupsPath.split("/");
  return isContainerName(elements[elements.length - 1] ?? "") || isPod(elements.slice(0, -1));
}

/** Drops what is below a container's cgroup: a pod's cgroup has its containers as children, a systemd scope has crun's child. */
function dropInner(elements: readonly string[]): readonly string[] {
  const pod = elements.findLastIndex((_, at) => isPod(elements.slice(0, at + 1)));
  if (pod !== -1) return elements.slice(0, pod + 2);
  const parent = elements.slice(0, -1);
  const isCrunChild =
    elements[elements.length - 1] === crunChild && parent.at(-1)?.endsWith(scopeSuffix) === true;
  return isCrunChild ? parent : elements;
}

function describeShared(elements: readonly string[]): string | undefined {
  const last = elements[elements.length - 1] ?? "";
  if (isPod(elements)) return "a pod's cgroup";
  if (last === kubepods || /(?:^|-)kubepods\.slice$/.test(last)) return "the cgroup of all pods";
  if (isQos(elements)) return "the cgroup of a QoS class";
  return last.endsWith(sliceSuffix) ? "a systemd slice" : undefined;
}

function isPod(elements: readonly string[]): boolean {
  const last = elements[elements.length - 1] ?? "";
  if (parsePodElement(last) !== undefined) return true;
  // A UID in another form than Kubernetes' own.
  const parent = elements.slice(0, -1);
  return last.startsWith("pod") && (parent[parent.length - 1] === kubepods || isQos(parent));
}

const isQos = (elements: readonly string[]): boolean =>
  elements[elements.length - 2] === kubepods && qosClasses.includes(elements[elements.length - 1] ?? "");
