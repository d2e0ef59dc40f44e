// SPDX-License-Identifier: Apache-2.0
// Watches the pods of one node. The field selector keeps the API server's load proportional to the pods of the node.

import { err, ok, type Result } from "@rthooks/result";
import { createObjectLevels } from "../core/object-levels.ts";
import { type Pod, podParts, toPod } from "../core/pod.ts";
import type { ApiClient } from "./api-client.ts";
import { type ResourceWatch, type WatchOptions, watchResource } from "./resource-watch.ts";

type PodWatchOptions = Omit<WatchOptions<Pod>, "path" | "fieldSelector" | "parse" | "keep" | "what"> & {
  readonly nodeName: string;
};

export const watchPods = ({ nodeName, ...options }: PodWatchOptions): ResourceWatch =>
  watchResource({
    ...options,
    path: "/api/v1/pods",
    fieldSelector: `spec.nodeName=${nodeName}`,
    parse: toPod,
    keep: podParts,
    what: "pods",
  });

const levels = createObjectLevels(podParts).object;

/** Gets one pod; undefined if the server has no pod of the name. Any other answer is an error. */
export async function fetchPod(
  client: ApiClient,
  namespace: string,
  name: string,
  timeoutMs: number,
): Promise<Result<Pod | undefined, string>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const answer = await client.get(path, { timeoutMs, levels });
  if (!answer.ok) {
    const { status, isStatus, message } = answer.error;
    return status === 404 && isStatus ? ok(undefined) : err(message);
  }
  let object: unknown;
  try {
    object = JSON.parse(answer.value.text);
  } catch {
    // `object` stays undefined, which is not a pod.
  }
  const pod = toPod(object);
  return pod === undefined ? err("the API server's answer is not a pod") : ok(pod);
}
