// SPDX-License-Identifier: Apache-2.0
// Which cgroup is the container's own, told by its path alone. A caller may name a cgroup inside of it (where the process
// is just now), or one that holds others as well.

import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { parsePodElement } from "./pod-uid.ts";

/** What the runtimes put before the id in the name of a cgroup. */
const runtimePrefix = /^(?:cri-containerd|crio|libpod|docker|containerd|nerdctl)-/;
const scopeSuffix = ".scope";
const sliceSuffix = ".slice";
/** Name of the child that crun makes below a systemd scope on cgroup v2 (src/libcrun/cgroup-systemd.c). */
const crunChild = "container";
/** The kubelet's cgroups without the systemd driver (pkg/kubelet/cm/qos_container_manager_linux.go). */
const kubepods = "kubepods";
const qosClasses: readonly string[] = ["burstable", "besteffort"];

/** The runtime names the container's cgroup after it: the id, without what it puts around that. */
export function parseContainerElement(name: string): string {
  const unit = name.endsWith(scopeSuffix) ? name.slice(0, -scopeSuffix.length) : name;
  return unit.replace(runtimePrefix, "");
}

/** The id in the name of the cgroup. */
export function findContainerId(cgroupsPath: string): string {
  const own = leaveInner(cgroupsPath.split("/"));
  return parseContainerElement(own[own.length - 1] ?? "");
}

/**
 * The container's own cgroup, where `cgroupsPath` is it or lies below. Refused for a cgroup that holds others by its
 * nature: a systemd slice, `/kubepods`, those of QoS classes, those of pods.
 */
export function findContainerPlace(cgroupsPath: string, containerId: string): Result<string, Refusal> {
  const elements = cgroupsPath.split("/");
  const named = elements.findIndex((name) => name !== "" && parseContainerElement(name) === containerId);
  const own = named === -1 ? leaveInner(elements) : elements.slice(0, named + 1);
  const shared = describeShared(own);
  if (shared === undefined) return ok(own.join("/"));
  const message = `cgroupsPath ${own.join("/")} is ${shared}, which holds other cgroups than container ${containerId}'s`;
  return err({ kind: "bad-request", message });
}

/** Whether a cgroup of this name holds pods, or is another container's. */
export const isForeign = (name: string): boolean =>
  name === kubepods ||
  name.endsWith(sliceSuffix) ||
  parsePodElement(name) !== undefined ||
  isContainerName(name);

/** As CRI runtimes, docker and podman name containers. */
export const isContainerName = (name: string): boolean => /[0-9a-f]{64}(?:\.scope)?$/.test(name);

/** Whether the path alone says that the cgroup is one container's: it has a container's name, or lies right in a pod's. */
export function isContainerPlace(cgroupsPath: string): boolean {
  const elements = cgroupsPath.split("/");
  return isContainerName(elements[elements.length - 1] ?? "") || isPod(elements.slice(0, -1));
}

/** The kubelet's pods have their containers right below, systemd's scopes have crun's child: what is inside of these is left. */
function leaveInner(elements: readonly string[]): readonly string[] {
  const pod = elements.findLastIndex((_, at) => isPod(elements.slice(0, at + 1)));
  if (pod !== -1) return elements.slice(0, pod + 2);
  const parent = elements.slice(0, -1);
  const isOfScope =
    elements[elements.length - 1] === crunChild && parent.at(-1)?.endsWith(scopeSuffix) === true;
  return isOfScope ? parent : elements;
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
  // A UID of another form than Kubernetes gives.
  const parent = elements.slice(0, -1);
  return last.startsWith("pod") && (parent[parent.length - 1] === kubepods || isQos(parent));
}

const isQos = (elements: readonly string[]): boolean =>
  elements[elements.length - 2] === kubepods && qosClasses.includes(elements[elements.length - 1] ?? "");
