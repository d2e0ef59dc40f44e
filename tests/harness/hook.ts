// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, type ProcessOptions, runProcess } from "./process.ts";
import { findHook } from "./programs.ts";

/** containerd's identity annotations for a container of a pod. */
export function containerdAnnotations(pod: {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly container?: string;
}): Readonly<Record<string, string>> {
  return {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-uid": pod.uid,
    "io.kubernetes.cri.sandbox-namespace": pod.namespace,
    "io.kubernetes.cri.sandbox-name": pod.name,
    "io.kubernetes.cri.container-name": pod.container ?? "app",
    "io.kubernetes.cri.image-name": "docker.io/library/busybox:latest",
  };
}

/** Writes the bundle of a container that nobody will run; a hook run by hand reads it. */
export function writeSpec(dir: string, spec: string | Uint8Array | object): string {
  mkdirSync(dir, { recursive: true });
  const bytes = typeof spec === "string" || spec instanceof Uint8Array ? spec : JSON.stringify(spec);
  writeFileSync(join(dir, "config.json"), bytes);
  return dir;
}

/** A small spec as a runtime writes it. */
export function createSpec(
  annotations: unknown,
  cgroupsPath: string = "/kubepods/besteffort/podx/y",
): object {
  return { ociVersion: "1.0.2", root: { path: "rootfs" }, linux: { cgroupsPath }, annotations };
}

export function renderState(bundle: string, annotations: unknown = {}): string {
  return JSON.stringify({
    ociVersion: "1.0.2",
    id: "container-of-a-test",
    status: "creating",
    pid: process.pid,
    bundle,
    annotations,
  });
}

/** The built hook, run by hand the way a runtime does. */
export function runHook(args: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return runProcess([findHook(), ...args], { killAfterMs: 30_000, ...options });
}
