// SPDX-License-Identifier: Apache-2.0
// The wait for a pod that the watch has not reported yet.

import { type ApiClient, fetchPod, type Pod, type ResourceWatch } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import { isStaticPodUid } from "../../cgroups/core/pod-uid.ts";
import type { PodStore } from "../core/pod-store.ts";

export interface Wait {
  readonly client: ApiClient;
  readonly store: PodStore;
  readonly watch: Pick<ResourceWatch, "isConnected" | "check">;
  readonly query: { readonly uid: string; readonly namespace: string; readonly name: string };
  readonly podWaitMs: number;
  readonly log: Logger;
  adopt(pod: Pod): void;
}

/**
 * The watch reports it, or the server gives it when it is asked for that one: whichever comes first. Only an answer that
 * the server has no such pod, or another one of the name, is a refusal.
 */
export async function awaitPod(wait: Wait): Promise<Result<void, Refusal>> {
  const { client, store, watch, query, podWaitMs, log, adopt } = wait;
  const { uid, namespace, name } = query;
  const { promise: known, resolve: end } = Promise.withResolvers<void>();
  const unsubscribe = store.subscribe(() => {
    if (store.find(query) !== undefined) end();
  });
  let isAbsent = false;
  let reason = `no answer within ${podWaitMs} ms`;
  const ask = async (): Promise<void> => {
    if (namespace === "" || name === "") {
      // It cannot be asked for: that the watch does not know it counts if the server can be reached.
      await watch.check();
      isAbsent = watch.isConnected();
      reason = "the call does not name the pod";
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
    // Neither the watch nor the question gets through: there is nothing to wait for.
    if (!watch.isConnected()) end();
  };
  void ask();
  const timer = setTimeout(end, podWaitMs);
  await known;
  clearTimeout(timer);
  unsubscribe();

  if (store.find(query) !== undefined) return ok(undefined);
  const fields = { namespace, pod: name, podUID: uid };
  if (!isAbsent) {
    // A node must be able to start while no API server is there: the hook's word has to do until there is one.
    log.warn("the API server did not answer for the pod: its container starts on the hook's word", {
      ...fields,
      err: reason,
    });
    return ok(undefined);
  }
  if (isStaticPodUid(uid)) {
    // Its mirror is made by the kubelet that is about to start it, which may not be let do so.
    log.warn("container of a static pod without a mirror in the API", fields);
    return ok(undefined);
  }
  const message = `pod ${namespace}/${name} (${uid}) is not known to the API server after ${podWaitMs} ms`;
  log.warn("hook call refused", { ...fields, reason: "pod-unknown", err: message });
  return err({ kind: "pod-unknown", message });
}
