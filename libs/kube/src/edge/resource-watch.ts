// SPDX-License-Identifier: Apache-2.0
// All objects of one kind, as the API server tells of them (Kubernetes API concepts: "Efficient detection of changes").

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { createBackOff } from "../core/back-off.ts";
import { parseWatchEvent } from "../core/watch-event.ts";
import type { ApiClient, ApiError } from "./api-client.ts";

export type Telling<T> =
  /** These are all that there are. */
  | { readonly kind: "all"; readonly objects: readonly T[] }
  | { readonly kind: "put"; readonly object: T }
  | { readonly kind: "deleted"; readonly uid: string };

export interface WatchOptions<T> {
  readonly client: ApiClient;
  /** "/api/v1/pods" */
  readonly path: string;
  /** Empty for all. */
  readonly fieldSelector: string;
  /** Undefined for what cannot be of this kind. */
  parse(object: unknown): T | undefined;
  /** For the log: "pods". */
  readonly what: string;
  readonly log: Logger;
  onTelling(telling: Telling<T>): void;
  /** Longest silence of a connection; the server sends a bookmark about once a minute. */
  readonly idleMs?: number;
  readonly random?: () => number;
}

export interface ResourceWatch {
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

export function watchResource<T>(options: WatchOptions<T>): ResourceWatch {
  const { client, what, log, parse, onTelling, idleMs = IDLE_MS, random = Math.random } = options;
  const backOff = createBackOff(random);
  const closing = new AbortController();
  let resourceVersion = "";
  let canStreamLists = true;
  let isConnected = false;
  let odd = 0;

  const path = (query: Readonly<Record<string, string>>): string => {
    const selected = options.fieldSelector === "" ? {} : { fieldSelector: options.fieldSelector };
    return `${options.path}?${new URLSearchParams({ ...selected, ...query })}`;
  };

  const heard = (): void => {
    if (!isConnected) log.info(`${what} of the API server are up to date`, {});
    isConnected = true;
    backOff.reset();
  };

  const noteOdd = (): void => {
    odd++;
    if (odd === 1) log.warn(`what the API server tells is not all ${what}: the rest is passed over`, {});
  };

  /** Goes on until the server ends the stream. `collected`: what comes first is the whole list, told when it is complete. */
  const follow = async (query: Readonly<Record<string, string>>, isList: boolean): Promise<Ended> => {
    let collected: Map<string, T> | undefined = isList ? new Map() : undefined;
    let failure: ApiError | undefined;
    const stop = new AbortController();
    const onLine = (line: string): void => {
      const event = parseWatchEvent(line);
      switch (event.kind) {
        case "put": {
          const object = parse(event.object);
          if (object === undefined) noteOdd();
          else if (collected !== undefined) collected.set(event.uid, object);
          else onTelling({ kind: "put", object });
          if (collected === undefined) resourceVersion = event.resourceVersion || resourceVersion;
          break;
        }
        case "deleted":
          if (collected !== undefined) collected.delete(event.uid);
          else onTelling({ kind: "deleted", uid: event.uid });
          if (collected === undefined) resourceVersion = event.resourceVersion || resourceVersion;
          break;
        case "bookmark":
          if (collected !== undefined && event.isComplete) {
            onTelling({ kind: "all", objects: [...collected.values()] });
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
    const objects: T[] = [];
    let next = "";
    do {
      const query = { limit: String(PAGE), ...(next === "" ? {} : { continue: next }) };
      const answer = await client.get(path(query), LIST_TIMEOUT_MS);
      if (!answer.ok) return answer;
      const page = v.safeParse(listSchema, answer.value);
      if (!page.success) return err({ status: 0, message: "the answer is no list", retryAfterMs: 0 });
      for (const item of page.output.items ?? []) {
        const object = parse(item);
        if (object === undefined) noteOdd();
        else objects.push(object);
      }
      next = page.output.metadata.continue ?? "";
      resourceVersion = page.output.metadata.resourceVersion;
    } while (next !== "" && !closing.signal.aborted);
    onTelling({ kind: "all", objects });
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
        // A kind of a definition that is not installed, which may come at any time.
        const isMissing = ended.error.status === 404 && !isConnected;
        if (isMissing && isFirst) log.info(`the API server has no ${what} yet`, fields);
        else if (!isMissing && (isConnected || isFirst))
          log.warn(`the API server is not heard; the ${what} stay as they were`, fields);
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
