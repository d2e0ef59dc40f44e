// SPDX-License-Identifier: Apache-2.0
// The pods of one node, as the API server tells of them (Kubernetes API concepts: "Efficient detection of changes").

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { createBackOff } from "../core/back-off.ts";
import { type KubePod, toKubePod } from "../core/kube-pod.ts";
import { parseWatchEvent } from "../core/watch-event.ts";
import type { ApiClient, ApiError } from "./api-client.ts";

export type PodTelling =
  /** These are all that there are. */
  | { readonly kind: "all"; readonly pods: readonly KubePod[] }
  | { readonly kind: "put" | "deleted"; readonly pod: KubePod };

export interface PodWatchOptions {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly log: Logger;
  onTelling(telling: PodTelling): void;
  /** Longest silence of a connection; the server sends a bookmark about once a minute. */
  readonly idleMs?: number;
  readonly random?: () => number;
}

export interface PodWatch {
  /** What is known may be old: the server has not been heard for a while. */
  isConnected(): boolean;
  close(): void;
}

const IDLE_MS = 150_000;
const LIST_TIMEOUT_MS = 60_000;
const PAGE = 500;
/** Of a watch: the server ends it then, and the load spreads over its replicas. */
const WATCH_SECONDS = 300;
const GONE = 410;

const listSchema = v.object({
  metadata: v.object({ resourceVersion: v.string(), continue: v.nullish(v.string()) }),
  items: v.nullish(v.array(v.unknown())),
});

/** A watch that ended by itself; an error with status 410 means that everything has to be told anew. */
type Ended = Result<void, ApiError>;

export function watchPods(options: PodWatchOptions): PodWatch {
  const { client, nodeName, log, onTelling, idleMs = IDLE_MS, random = Math.random } = options;
  const backOff = createBackOff(random);
  const closing = new AbortController();
  let resourceVersion = "";
  let canStreamLists = true;
  let isConnected = false;
  let odd = 0;

  const path = (query: Readonly<Record<string, string>>): string =>
    `/api/v1/pods?${new URLSearchParams({ fieldSelector: `spec.nodeName=${nodeName}`, ...query })}`;

  const heard = (): void => {
    if (!isConnected) log.info("pods of the API server are up to date", { node: nodeName });
    isConnected = true;
    backOff.reset();
  };

  const noteOdd = (): void => {
    odd++;
    if (odd === 1) log.warn("the API server tells of something that is no pod: it is passed over", {});
  };

  /** Goes on until the server ends the stream. `collected`: what comes first is the whole list, told when it is complete. */
  const follow = async (query: Readonly<Record<string, string>>, isList: boolean): Promise<Ended> => {
    let collected: Map<string, KubePod> | undefined = isList ? new Map() : undefined;
    let failure: ApiError | undefined;
    const stop = new AbortController();
    const onLine = (line: string): void => {
      const event = parseWatchEvent(line);
      switch (event.kind) {
        case "put":
          if (collected !== undefined) collected.set(event.pod.uid, event.pod);
          else onTelling({ kind: "put", pod: event.pod });
          if (collected === undefined) resourceVersion = event.pod.resourceVersion || resourceVersion;
          break;
        case "deleted":
          if (collected !== undefined) collected.delete(event.pod.uid);
          else onTelling({ kind: "deleted", pod: event.pod });
          if (collected === undefined) resourceVersion = event.pod.resourceVersion || resourceVersion;
          break;
        case "bookmark":
          if (collected !== undefined && event.isComplete) {
            onTelling({ kind: "all", pods: [...collected.values()] });
            collected = undefined;
          }
          if (collected === undefined) {
            resourceVersion = event.resourceVersion;
            heard();
          }
          break;
        case "error":
          failure = { status: event.code, message: event.message, retryAfterMs: 0 };
          stop.abort();
          break;
        case "odd":
          noteOdd();
      }
    };
    const signal = AbortSignal.any([closing.signal, stop.signal]);
    const streamed = await client.stream(path({ ...query, watch: "true" }), idleMs, onLine, signal);
    return failure === undefined ? streamed : err(failure);
  };

  const streamList = (): Promise<Ended> =>
    follow(
      {
        sendInitialEvents: "true",
        resourceVersionMatch: "NotOlderThan",
        allowWatchBookmarks: "true",
        timeoutSeconds: String(WATCH_SECONDS),
      },
      true,
    );

  const list = async (): Promise<Ended> => {
    const pods: KubePod[] = [];
    let next = "";
    do {
      const query = { limit: String(PAGE), ...(next === "" ? {} : { continue: next }) };
      const answer = await client.get(path(query), LIST_TIMEOUT_MS);
      if (!answer.ok) return answer;
      const page = v.safeParse(listSchema, answer.value);
      if (!page.success) return err({ status: 0, message: "the answer is no list of pods", retryAfterMs: 0 });
      for (const item of page.output.items ?? []) {
        const pod = toKubePod(item);
        if (pod === undefined) noteOdd();
        else pods.push(pod);
      }
      next = page.output.metadata.continue ?? "";
      resourceVersion = page.output.metadata.resourceVersion;
    } while (next !== "" && !closing.signal.aborted);
    onTelling({ kind: "all", pods });
    heard();
    return ok(undefined);
  };

  const watch = (): Promise<Ended> =>
    follow({ resourceVersion, allowWatchBookmarks: "true", timeoutSeconds: String(WATCH_SECONDS) }, false);

  const step = async (): Promise<Ended> => {
    if (resourceVersion !== "") return watch();
    if (!canStreamLists) return list();
    const streamed = await streamList();
    // Servers before 1.32, or with the feature off, do not take the parameters.
    if (!streamed.ok && (streamed.error.status === 400 || streamed.error.status === 422)) {
      canStreamLists = false;
      return list();
    }
    return streamed;
  };

  const run = async (): Promise<void> => {
    let isFirst = true;
    while (!closing.signal.aborted) {
      const before = resourceVersion;
      const ended = await step();
      if (closing.signal.aborted) return;
      if (ended.ok && resourceVersion !== before) continue;
      if (!ended.ok && ended.error.status === GONE && before !== "") {
        // What was missed nobody tells any more: all of it is told anew, at once.
        resourceVersion = "";
        continue;
      }
      if (!ended.ok) {
        const fields = { err: ended.error.message };
        if (isConnected || isFirst)
          log.warn("the API server is not heard; the pods stay as they were", fields);
        else log.debug("the API server is not heard", fields);
        isConnected = false;
      }
      isFirst = false;
      const pause = Math.max(backOff.next(), ended.ok ? 0 : ended.error.retryAfterMs);
      await sleep(pause, closing.signal);
    }
  };
  void run();

  return { isConnected: () => isConnected, close: () => closing.abort() };
}

/** That one pod as the server has it now; undefined where it has none of the name. */
export async function fetchPod(
  client: ApiClient,
  namespace: string,
  name: string,
  timeoutMs: number,
): Promise<Result<KubePod | undefined, string>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  const answer = await client.get(path, timeoutMs);
  if (!answer.ok) return answer.error.status === 404 ? ok(undefined) : err(answer.error.message);
  const pod = toKubePod(answer.value);
  return pod === undefined ? err("the answer is no pod") : ok(pod);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
