// SPDX-License-Identifier: Apache-2.0
// Who tells the agent of pods, as its flags say.

import type { ApiClient } from "@rthooks/kube";
import { err, ok, type Result } from "@rthooks/result";
import type { PodParser } from "../../pods/core/pod-parser.ts";
import { annotationsOnly, type PodSource } from "../core/pod-source.ts";
import { type KubePods, type KubePodsOptions, openKubePods } from "./kube-pods.ts";
import { openPodsFile } from "./pods-file.ts";

export interface PodsOptions extends Pick<KubePodsOptions, "version" | "log"> {
  /** Empty: pods are known by their hook calls only. */
  readonly podsFile: string;
  /** Undefined: nobody asks the API server. */
  readonly kube: Pick<KubePodsOptions, "kubeconfigPath" | "nodeName" | "podWaitMs"> | undefined;
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
export async function openPods(
  { kube, podsFile, version, log }: PodsOptions,
  parser: PodParser,
  onTooLarge: KubePodsOptions["onTooLarge"],
): Promise<Result<OpenedPods, string>> {
  if (kube !== undefined && podsFile !== "") {
    return err("--enable-k8s-api and --pods-file exclude each other: who would be right?");
  }
  if (kube !== undefined) {
    return openKubePods({ ...kube, version, log, onTooLarge });
  }
  const without = { client: undefined, awaitPod: () => undefined };
  if (podsFile === "") return ok({ ...without, source: annotationsOnly, problem: () => "", close: () => {} });
  return ok({ ...without, ...(await openPodsFile(podsFile, parser, log)) });
}
