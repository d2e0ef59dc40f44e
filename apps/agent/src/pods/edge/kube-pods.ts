// SPDX-License-Identifier: Apache-2.0
// Pods from the API server.

import { type ApiClient, fetchPod, openApiClient, type Pod, watchPods } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PodQuery, PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";
import { awaitPod as awaitUnknownPod } from "./await-pod.ts";
import { openKubeAccess } from "./kube-access.ts";

export interface KubePodsOptions {
  /** Empty: that of the pod which this program runs in. */
  readonly kubeconfigPath: string;
  readonly nodeName: string;
  readonly podWaitMs: number;
  readonly version: string;
  readonly log: Logger;
  /** An object of the API server was too large to be read whole. */
  onTooLarge(kind: string, outcome: "reduced" | "skipped"): void;
}

export interface KubePods {
  readonly client: ApiClient;
  readonly source: PodSource;
  /** Undefined where nothing has to be waited for. `deadlineMs`: when the caller gives up, Unix time or Infinity. */
  awaitPod(query: PodQuery, deadlineMs: number): Promise<Result<void, Refusal>> | undefined;
  /** Why the pods that are known may not be those of now; empty where they are. */
  problem(): string;
  close(): void;
}

/** The error is one line for people. */
export function openKubePods(options: KubePodsOptions): Result<KubePods, string> {
  const { kubeconfigPath, nodeName, podWaitMs, version, log } = options;
  if (nodeName === "") {
    return err("--enable-k8s-api needs the node's name: --node-name, or NODE_NAME in the environment");
  }
  const access = openKubeAccess(kubeconfigPath, log);
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
  /** What the watch never tells of is asked for again: the pod may have gone before the watch could see it. */
  const checkLater = (pod: Pod): void => {
    const timer = setTimeout(async () => {
      checks.delete(timer);
      if (!store.isAhead(pod.uid)) return;
      const answer = await fetchPod(client, pod.namespace, pod.name, CHECK_MS);
      if (!store.isAhead(pod.uid)) return;
      if (answer.ok && answer.value?.uid !== pod.uid) store.remove(pod.uid);
      else checkLater(pod);
    }, CHECK_MS);
    checks.add(timer);
  };
  const adopt = (pod: Pod): void => {
    store.putAsked(pod);
    if (store.isAhead(pod.uid)) checkLater(pod);
  };

  const awaitPod: KubePods["awaitPod"] = ({ uid, namespace, name }, deadlineMs) => {
    if (uid === undefined) return undefined;
    const query = { uid, namespace, name };
    if (store.find(query) !== undefined) return undefined;
    if (store.wasDeleted(uid)) {
      const message = `pod ${namespace}/${name} (${uid}) was deleted`;
      return Promise.resolve(err({ kind: "pod-gone", message }));
    }
    // The reason is of use only to one who still listens.
    const leftMs = Math.floor(deadlineMs - Date.now() - ANSWER_MS);
    const waitMs = Math.max(0, Math.min(podWaitMs, leftMs));
    return awaitUnknownPod({ client, store, watch, query, podWaitMs: waitMs, log, adopt });
  };

  return ok({
    client,
    source: store,
    awaitPod,
    problem: watch.problem,
    close() {
      for (const timer of checks) clearTimeout(timer);
      watch.close();
    },
  });
}

/** For an answer to reach its caller. */
const ANSWER_MS = 50;
/** Between two looks at a pod that only an answer has told of. */
const CHECK_MS = 30_000;
