// SPDX-License-Identifier: Apache-2.0
// Opens the pod source that the flags select.

import type { ApiClient, WatchProgress } from "@rthooks/kube";
import { err, ok, type Result } from "@rthooks/result";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import type { PodParser } from "../../pods/core/pod-parser.ts";
import { type PodSource, withoutPods } from "../core/pod-source.ts";
import { type KubePods, type KubePodsOptions, openKubePods } from "./kube-pods.ts";
import { openPodsFile } from "./pods-file.ts";

export interface PodsOptions extends Pick<KubePodsOptions, "version" | "log"> {
  /** Empty: no file. */
  readonly podsFile: string;
  /** Undefined: the API server is not used. */
  readonly kube: Pick<KubePodsOptions, "kubeconfigPath" | "nodeName" | "podWaitMs"> | undefined;
}

export interface OpenedPods {
  /** Undefined without an API server. */
  readonly client: ApiClient | undefined;
  readonly source: PodSource;
  readonly awaitPod: KubePods["awaitPod"];
  /** Why the pods may be out of date, one line for users; empty where they are not. */
  problem(): string;
  /** False while no list of pods was ever read, where there is a pod source. */
  isKnown(): boolean;
  /** Of the watch on the API server; empty without one. */
  progress(): readonly WatchProgress[];
  close(): void;
}

/** The error is one line for users. */
export async function openPods(
  { kube, podsFile, version, log }: PodsOptions,
  parser: PodParser,
  directories: DirectoryWatch,
  onTooLarge: KubePodsOptions["onTooLarge"],
): Promise<Result<OpenedPods, string>> {
  if (kube !== undefined && podsFile !== "") {
    return err("--enable-k8s-api and --pods-file exclude each other");
  }
  if (kube !== undefined) {
    const pods = openKubePods({ ...kube, version, log, onTooLarge });
    if (!pods.ok) return pods;
    const { progress } = pods.value;
    return ok({ ...pods.value, isKnown: () => progress().lists > 0, progress: () => [progress()] });
  }
  const without = { client: undefined, awaitPod: () => undefined, progress: () => [] };
  if (podsFile === "") {
    return ok({
      ...{ ...without, source: withoutPods },
      ...{ problem: () => "", isKnown: () => true, close: () => {} },
    });
  }
  return ok({ ...without, ...(await openPodsFile({ path: podsFile, parser, log, directories })) });
}
