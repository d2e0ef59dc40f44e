// SPDX-License-Identifier: Apache-2.0
// Detects which runtime created a container.
//
// Each runtime has its own annotation keys for the identity of a pod, and some copy a pod's annotations into the spec (CRI-O
// by default, containerd if its configuration lists them). So the keys of one runtime are not trusted on a container of
// another, and annotations alone cannot decide which runtime it was. The paths of the cgroup and of the bundle come first,
// since a pod's author cannot choose them.

import type { Annotations } from "./spec.ts";

export type Runtime = "containerd" | "cri-o" | "podman" | "unknown";

export interface RuntimeEvidence {
  readonly annotations: Annotations;
  readonly cgroupsPath: string | undefined;
  readonly bundle: string | undefined;
  /** The id in the OCI state. */
  readonly containerId: string | undefined;
}

export function detectRuntime(evidence: RuntimeEvidence): Runtime {
  return (
    fromCgroupsPath(evidence.cgroupsPath, evidence.containerId) ??
    fromBundle(evidence.bundle) ??
    fromMarks(evidence.annotations) ??
    "unknown"
  );
}

/** Hexadecimal digits of a container id of a CRI runtime; ids that users choose are shorter. */
const CRI_ID_LENGTH = 64;

/**
 * The last element is `<prefix>-<id>[.scope]`, or `slice:<prefix>:<id>` before systemd's expansion.
 * Source: cri-o internal/config/cgmgr (CrioPrefix), podman libpod/container_linux.go ("libpod"),
 * containerd internal/cri/server/helpers_linux.go (getCgroupsPath: "cri-containerd" or the bare id).
 */
function fromCgroupsPath(path: string | undefined, containerId: string | undefined): Runtime | undefined {
  if (path === undefined) return undefined;
  const last = path.slice(path.lastIndexOf("/") + 1);
  const colon = last.indexOf(":");
  const unit = colon === -1 ? last : last.slice(colon + 1).replace(":", "-");
  if (unit.startsWith("crio-")) return "cri-o";
  if (unit.startsWith("libpod-")) return "podman";
  if (unit.startsWith("cri-containerd-")) return "containerd";
  return unit === containerId && unit.length === CRI_ID_LENGTH ? "containerd" : undefined;
}

/** containerd's task directory is named for its shim interface: `…/io.containerd.runtime.v2.task/<ns>/<id>`. */
function fromBundle(bundle: string | undefined): Runtime | undefined {
  return bundle?.includes("/io.containerd.runtime.") ? "containerd" : undefined;
}

/** The weakest evidence: annotations that a runtime always writes. CRI-O first: its pods can carry containerd's keys. */
function fromMarks(annotations: Annotations): Runtime | undefined {
  const manager = annotations.get("io.container.manager");
  if (manager === "cri-o" || annotations.has("io.kubernetes.cri-o.ContainerID")) return "cri-o";
  if (manager === "libpod") return "podman";
  return annotations.has("io.kubernetes.cri.container-type") ||
    annotations.has("io.kubernetes.cri.sandbox-id")
    ? "containerd"
    : undefined;
}
