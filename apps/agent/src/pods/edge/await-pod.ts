// SPDX-License-Identifier: Apache-2.0
// Waits for a pod that the watch has not reported yet.

import { type ApiClient, fetchPod, type Pod, type ResourceWatch } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { AwaitedIdentity } from "../../base/core/agent-metrics.ts";
import type { Refusal } from "../../base/core/refusal.ts";
import { isStaticPodUid } from "../../cgroups/core/pod-uid.ts";
import type { PodStore } from "../core/pod-store.ts";

interface AwaitPodOptions {
  readonly client: ApiClient;
  readonly store: PodStore;
  readonly watch: Pick<ResourceWatch, "isConnected" | "check">;
  readonly query: { readonly uid: string; readonly namespace: string; readonly name: string };
  readonly podWaitMs: number;
  readonly log: Logger;
  /** Puts the fetched pod into the store. */
  adopt(pod: Pod): void;
}

/**
 * Resolves when the watch has reported the pod, a request for it was answered, or the time is over. An error only where the
 * server answered that it does not have the pod, or has another one of the name. The value says whose identity counts.
 */
export async function awaitPod(options: AwaitPodOptions): Promise<Result<AwaitedIdentity, Refusal>> {
  const { client, store, watch, query, podWaitMs, log, adopt } = options;
  const { uid, namespace, name } = query;
  const { promise: known, resolve: end } = Promise.withResolvers<void>();
  const unsubscribe = store.subscribe(() => {
    if (store.find(query) !== undefined) end();
  });
  let isAbsent = false;
  let reason = `no answer within ${podWaitMs} ms`;
  const request = async (): Promise<void> => {
    if (namespace === "" || name === "") {
      // It cannot be fetched without its name: it is absent if the watch is connected and does not have it.
      await watch.check();
      isAbsent = watch.isConnected();
      reason = "the hook call does not name the pod";
    } else {
      const answer = await fetchPod(client, namespace, name, podWaitMs);
      if (answer.ok) {
        const pod = answer.value;
        if (pod !== undefined && (pod.uid === uid || pod.staticPodHash === uid)) adopt(pod);
        else isAbsent = true;
        return;
      }
      reason = answer.error;
      void watch.check();
    }
    // The server answers neither the request nor the watch: waiting is pointless.
    if (!watch.isConnected()) end();
  };
  void request();
  const timer = setTimeout(end, podWaitMs);
  await known;
  clearTimeout(timer);
  unsubscribe();

  if (store.find(query) !== undefined) return ok("pod-source");
  const fields = { namespace, pod: name, podUID: uid };
  if (!isAbsent) {
    // A node must be able to start without an API server: the identity of the hook call is used until one answers.
    log.warn("no answer from the API server about the pod: using the identity of the hook call", {
      ...fields,
      err: reason,
    });
    return ok("hook");
  }
  if (isStaticPodUid(uid)) {
    // The kubelet creates the mirror pod, and may lack the right to do so.
    log.warn("static pod has no mirror pod in the API: releasing its container without labels", fields);
    return ok("hook");
  }
  const message = `pod ${namespace}/${name} (${uid}) is not known to the API server after ${podWaitMs} ms`;
  log.warn("hook call refused", { ...fields, reason: "pod-unknown", err: message });
  return err({ kind: "pod-unknown", message });
}
