// SPDX-License-Identifier: Apache-2.0
// Who tells the agent of pods, as its flags say.

import type { ApiClient } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { annotationsOnly, type PodSource } from "../core/pod-source.ts";
import { type KubePods, type KubePodsOptions, openKubePods } from "./kube-pods.ts";
import { openPodsFile } from "./pods-file.ts";

export interface PodsOptions {
  /** Empty: pods are known by their hook calls only. */
  readonly podsFile: string;
  /** Undefined: nobody asks the API server. */
  readonly kube: Pick<KubePodsOptions, "kubeconfigPath" | "nodeName" | "podWaitMs"> | undefined;
  readonly version: string;
  readonly log: Logger;
}

interface OpenedPods {
  /** Undefined where there is no API server. */
  readonly client: ApiClient | undefined;
  readonly source: PodSource;
  readonly awaitPod: KubePods["awaitPod"];
  /** Why what is known of pods may be old; empty where it is not. */
  problem(): string;
  close(): void;
}

/** The error is one line for people. */
export function openPods({ kube, podsFile, version, log }: PodsOptions): Result<OpenedPods, string> {
  if (kube !== undefined && podsFile !== "") {
    return err("--enable-k8s-api and --pods-file exclude each other: who would be right?");
  }
  if (kube !== undefined) {
    const pods = openKubePods({ ...kube, version, log });
    if (!pods.ok) return pods;
    const problem = () =>
      pods.value.isConnected() ? "" : "the API server is not heard: pods and their labels may be out of date";
    return ok({ ...pods.value, problem });
  }
  const without = { client: undefined, awaitPod: () => undefined, problem: () => "" };
  if (podsFile === "") return ok({ ...without, source: annotationsOnly, close: () => {} });
  return ok({ ...without, ...openPodsFile(podsFile, log) });
}
