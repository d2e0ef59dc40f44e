// SPDX-License-Identifier: Apache-2.0
// The pods of one node: ten thousand nodes cost the API server each its own.

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

/** That one pod as the server has it now; undefined where it has none of the name. Any other answer is an error. */
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
    // Not JSON is not a pod either.
  }
  const pod = toPod(object);
  return pod === undefined ? err("the API server's answer is no pod") : ok(pod);
}
