// SPDX-License-Identifier: Apache-2.0
// Pods from the API server, and the wait for one that has not been told of yet.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  type ApiClient,
  type ClusterAccess,
  fetchPod,
  findInClusterAccess,
  type KubePod,
  openApiClient,
  parseKubeconfig,
  watchPods,
} from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { HookCall } from "../core/announcement.ts";
import type { PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";
import { isStaticPodUid } from "../core/pod-uid.ts";
import type { Refusal } from "../core/refusal.ts";
import { parseYaml } from "./yaml.ts";

export interface KubePodsOptions {
  /** Empty: that of the pod which this program runs in. */
  readonly kubeconfigPath: string;
  readonly nodeName: string;
  readonly podWaitMs: number;
  readonly version: string;
  readonly log: Logger;
}

export interface KubePods {
  readonly client: ApiClient;
  readonly source: PodSource;
  /** Undefined where nothing has to be waited for. `deadlineMs`: when the caller gives up, Unix time or Infinity. */
  awaitPod(call: HookCall, deadlineMs: number): Promise<Result<void, Refusal>> | undefined;
  /** Whether the pods that are known are those of now. */
  isConnected(): boolean;
  close(): void;
}

/** The error is one line for people. */
export function openKubePods(options: KubePodsOptions): Result<KubePods, string> {
  const { kubeconfigPath, nodeName, podWaitMs, version, log } = options;
  if (nodeName === "") {
    return err("--enable-k8s-api needs the node's name: --node-name, or NODE_NAME in the environment");
  }
  const access = findAccess(kubeconfigPath);
  if (!access.ok) return access;
  const client = openApiClient(access.value, `tetragon/${version}`);
  const store = createPodStore();
  const watch = watchPods({
    client,
    nodeName,
    log,
    onTelling: (telling) => {
      if (telling.kind === "all") store.replaceAll(telling.objects);
      else if (telling.kind === "put") store.put(telling.object);
      else store.remove(telling.uid);
    },
  });

  const checks = new Set<ReturnType<typeof setTimeout>>();
  /** What the watch never tells of is asked for again: the pod may have gone before the watch could see it. */
  const checkLater = (pod: KubePod): void => {
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
  const adopt = (pod: KubePod): void => {
    store.putAsked(pod);
    if (store.isAhead(pod.uid)) checkLater(pod);
  };

  const awaitPod: KubePods["awaitPod"] = ({ podUid, announcement }, deadlineMs) => {
    const query = { uid: podUid, namespace: announcement.podNamespace, name: announcement.podName };
    // Labels that came along from the runtime need nobody to confirm them.
    if (podUid === undefined || announcement.podLabels !== undefined) return undefined;
    if (store.find(query) !== undefined) return undefined;
    if (store.wasDeleted(podUid)) {
      const message = `pod ${query.namespace}/${query.name} (${podUid}) was deleted`;
      return Promise.resolve(err({ kind: "pod-gone", message }));
    }
    // The reason is of use only to one who still listens.
    const leftMs = Math.floor(deadlineMs - Date.now() - ANSWER_MS);
    const waitMs = Math.max(0, Math.min(podWaitMs, leftMs));
    return waitForPod({
      client,
      store,
      query,
      podWaitMs: waitMs,
      log,
      adopt,
      isConnected: watch.isConnected,
    });
  };

  return ok({
    client,
    source: store,
    awaitPod,
    isConnected: watch.isConnected,
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

interface Wait {
  readonly client: ApiClient;
  readonly store: ReturnType<typeof createPodStore>;
  readonly query: { readonly uid: string | undefined; readonly namespace: string; readonly name: string };
  readonly podWaitMs: number;
  readonly log: Logger;
  adopt(pod: KubePod): void;
  isConnected(): boolean;
}

/** The watch tells of it, or the server does when it is asked for that one: whichever comes first. */
async function waitForPod(wait: Wait): Promise<Result<void, Refusal>> {
  const { client, store, query, podWaitMs, log, adopt } = wait;
  const { uid, namespace, name } = query;
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const unsubscribe = store.subscribe(() => {
    if (store.find(query) !== undefined) tell();
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), podWaitMs);
  });
  let answer: Result<KubePod | undefined, string> | undefined;
  const ask = async (): Promise<void> => {
    if (namespace !== "" && name !== "") answer = await fetchPod(client, namespace, name, podWaitMs);
    // Neither the watch nor the question gets through: there is nothing to wait for.
    if (answer?.ok === false && !wait.isConnected()) tell();
    if (answer?.ok !== true || answer.value === undefined) return;
    const pod = answer.value;
    if (pod.uid === uid || (uid !== undefined && pod.staticPodHash === uid)) adopt(pod);
  };
  void ask();
  try {
    await Promise.race([told, time]);
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
  if (store.find(query) !== undefined) return ok(undefined);
  const pod = `pod ${namespace}/${name} (${uid})`;
  if (!wait.isConnected() && answer?.ok !== true) {
    // A node must be able to start while no API server is there: the hook's word has to do until there is one.
    log.warn("container of a pod that nobody could be asked about", { namespace, pod: name, podUID: uid });
    return ok(undefined);
  }
  if (uid !== undefined && isStaticPodUid(uid)) {
    // Its mirror is made by the kubelet that is about to start it, which may not be let do so.
    log.warn("container of a static pod without a mirror in the API", { namespace, pod: name, podUID: uid });
    return ok(undefined);
  }
  const message = `${pod} is not known to the API server after ${podWaitMs} ms`;
  log.warn("hook call refused", { namespace, pod: name, podUID: uid, reason: "pod-unknown", err: message });
  return err({ kind: "pod-unknown", message });
}

function findAccess(kubeconfigPath: string): Result<ClusterAccess, string> {
  if (kubeconfigPath === "") {
    const access = findInClusterAccess(process.env);
    return access === undefined
      ? err(
          "--enable-k8s-api: this is no pod of a cluster (no KUBERNETES_SERVICE_HOST): give --k8s-kubeconfig-path",
        )
      : ok(access);
  }
  let text: string;
  try {
    text = readFileSync(kubeconfigPath, "utf8");
  } catch (error) {
    return err(`${kubeconfigPath} cannot be read: ${describeError(error)}`);
  }
  const documents = parseYaml(text);
  if (!documents.ok) return err(`${kubeconfigPath}: ${documents.error}`);
  const access = parseKubeconfig(documents.value[0], dirname(kubeconfigPath));
  return access.ok ? access : err(`${kubeconfigPath}: ${access.error}`);
}
