// SPDX-License-Identifier: Apache-2.0
// The pod source behind --enable-k8s-api: the pods of this node, from the API server.

import {
  type ApiClient,
  fetchPod,
  openApiClient,
  openKubeAccess,
  type Pod,
  type WatchProgress,
  watchPods,
} from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { AwaitedIdentity } from "../../base/core/agent-metrics.ts";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PodQuery, PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";
import { awaitPod as awaitUnknownPod } from "./await-pod.ts";

export interface KubePodsOptions {
  /** Empty: the service account of the agent's pod. */
  readonly kubeconfigPath: string;
  readonly nodeName: string;
  readonly podWaitMs: number;
  readonly version: string;
  readonly log: Logger;
  /** An object of the API server was too large to be parsed whole. */
  onTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
}

export interface KubePods {
  readonly client: ApiClient;
  readonly source: PodSource;
  /** Undefined where there is nothing to wait for. `deadlineMs`: when the caller stops waiting, Unix time or Infinity. */
  awaitPod(query: PodQuery, deadlineMs: number): Promise<Result<AwaitedIdentity, Refusal>> | undefined;
  /** Why the pods may be out of date, one line for users; empty where they are not. */
  problem(): string;
  progress(): WatchProgress;
  close(): void;
}

/** The error is one line for users. */
export function openKubePods(options: KubePodsOptions): Result<KubePods, string> {
  const { kubeconfigPath, nodeName, podWaitMs, version, log } = options;
  if (nodeName === "") {
    return err("--enable-k8s-api needs the node's name: set --node-name, or NODE_NAME in the environment");
  }
  const access = openKubeAccess({ path: kubeconfigPath, flag: "--k8s-kubeconfig-path", log });
  if (!access.ok) return access;
  const client = openApiClient(access.value, `tetragon/${version}`);
  const store = createPodStore();
  const watch = watchPods({
    client,
    nodeName,
    log,
    onTooLarge: options.onTooLarge,
    onChange: (change) => {
      if (change.kind === "all") store.replaceAll(change.objects);
      else if (change.kind === "put") store.put(change.object);
      else store.remove(change.uid);
    },
  });

  const checks = new Set<ReturnType<typeof setTimeout>>();
  /** Fetches the pod again until the watch reports it: it may have been deleted before the watch could see it. */
  const checkLater = (pod: Pod): void => {
    const timer = setTimeout(async () => {
      checks.delete(timer);
      if (!store.isAheadOfWatch(pod.uid)) return;
      const answer = await fetchPod(client, pod.namespace, pod.name, CHECK_MS);
      if (!store.isAheadOfWatch(pod.uid)) return;
      if (answer.ok && answer.value?.uid !== pod.uid) store.remove(pod.uid);
      else checkLater(pod);
    }, CHECK_MS);
    checks.add(timer);
  };
  const adopt = (pod: Pod): void => {
    store.putFetched(pod);
    if (store.isAheadOfWatch(pod.uid)) checkLater(pod);
  };

  const awaitPod: KubePods["awaitPod"] = ({ uid, namespace, name }, deadlineMs) => {
    if (uid === undefined) return undefined;
    const query = { uid, namespace, name };
    if (store.find(query) !== undefined) return undefined;
    if (store.wasDeleted(uid)) {
      const message = `pod ${namespace}/${name} (${uid}) was deleted`;
      return Promise.resolve(err({ kind: "pod-gone", message }));
    }
    // The answer must reach the caller before its deadline.
    const leftMs = Math.floor(deadlineMs - Date.now() - ANSWER_MS);
    const waitMs = Math.max(0, Math.min(podWaitMs, leftMs));
    return awaitUnknownPod({ client, store, watch, query, podWaitMs: waitMs, log, adopt });
  };

  return ok({
    client,
    source: store,
    awaitPod,
    problem: watch.problem,
    progress: watch.progress,
    close() {
      for (const timer of checks) clearTimeout(timer);
      watch.close();
    },
  });
}

/** Reserved for the answer's way to the caller. */
const ANSWER_MS = 50;
/** Between two requests for a fetched pod that the watch has not reported. */
const CHECK_MS = 30_000;
