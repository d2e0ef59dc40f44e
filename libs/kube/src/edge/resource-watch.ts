// SPDX-License-Identifier: Apache-2.0
// All objects of one kind, as the API server reports them (Kubernetes API concepts: "Efficient detection of changes").

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Reduced } from "../core/bounded-document.ts";
import type { Keep } from "../core/json-filter.ts";
import { createObjectLevels } from "../core/object-levels.ts";
import { createPace } from "../core/pace.ts";
import { isOlder } from "../core/resource-version.ts";
import { parseWatchEvent, type WatchEvent } from "../core/watch-event.ts";
import type { ApiClient } from "./api-client.ts";
import { type ApiError, noAnswer } from "./api-error.ts";
import { listPages } from "./list-pages.ts";
import { guardSilence, type SilenceGuard } from "./silence-guard.ts";
import { createTooLargeLog, type TooLarge } from "./too-large.ts";

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
  /** What `parse` needs of an object that is larger than 1 MiB; undefined: all of it, up to 8 MiB. */
  readonly keep?: Keep;
  /** The same for an object that is larger still, of which only the name is there. Without this it is left out. */
  parseName?(object: unknown): T | undefined;
  /** For the log: "pods". */
  readonly what: string;
  readonly log: Logger;
  onTelling(telling: Telling<T>): void;
  /** An object was too large to be read whole. */
  onTooLarge?(what: string, outcome: TooLarge): void;
  readonly timing?: Partial<WatchTiming>;
  readonly random?: () => number;
}

export interface WatchTiming {
  /** Silence that long starts a probe, in milliseconds. */
  readonly probeAfterMs: number;
  /** Longest wait for the answer to begin: a proxy may hold it back until the first bookmark. */
  readonly beginMs: number;
  /** Longest silence of a connection; the server sends a bookmark about once a minute. */
  readonly idleMs: number;
  /** A request that lived that long takes the back-off to its beginning. */
  readonly settledMs: number;
}

export interface ResourceWatch {
  /** False: what is known may be old, since the server was not reached for a while. */
  isConnected(): boolean;
  /** Why what is known may be old, one line for people; empty where it is not. */
  problem(): string;
  /** Somebody else got no answer: probes the server now, and drops the connection if it does not answer either. */
  check(): Promise<void>;
  close(): void;
}

const usualTiming: WatchTiming = {
  probeAfterMs: 30_000,
  beginMs: 75_000,
  idleMs: 100_000,
  settledMs: 10_000,
};
/** Of a watch: the server ends it then, and the load spreads over its replicas. */
const WATCH_SECONDS = 300;
const GONE = 410;
/** A watch that goes on from a version, and was not ended by then, has sent what was missed. */
const OPENED_MS = 1000;

/** What a request came to, where it did not fail. */
type Ended = Result<"listed" | "watched", ApiError>;

export function watchResource<T>(options: WatchOptions<T>): ResourceWatch {
  const { client, what, log, parse, onTelling, random = Math.random } = options;
  const { settledMs, ...silences } = { ...usualTiming, ...options.timing };
  const levels = createObjectLevels(options.keep);
  const noteTooLarge = createTooLargeLog(what, log);
  const pace = createPace(settledMs, random);
  const closing = new AbortController();
  let resourceVersion = "";
  let canStreamLists = true;
  let isConnected = false;
  /** A kind of a definition that is not installed, which may come at any time. */
  let isMissing = false;
  let reason = "no answer yet";
  let guard: SilenceGuard | undefined;
  let odd = 0;

  const path = (query: Readonly<Record<string, string>>): string => {
    const selected = options.fieldSelector === "" ? {} : { fieldSelector: options.fieldSelector };
    return `${options.path}?${new URLSearchParams({ ...selected, ...query })}`;
  };

  const noteHeard = (): void => {
    if (!isConnected) log.info(`${what} of the API server are up to date`, {});
    isConnected = true;
    isMissing = false;
    reason = "";
  };

  const noteFailure = ({ status, message }: ApiError): void => {
    const isNews = message !== reason;
    const wasMissing = isMissing;
    isMissing = status === 404 && !isConnected;
    isConnected = false;
    reason = message;
    const fields = { err: message };
    if (isMissing && !wasMissing) log.info(`the API server has no ${what} yet`, fields);
    else if (!isMissing && isNews)
      log.warn(`the API server is not heard; the ${what} stay as they were`, fields);
    else log.debug("the API server is not heard", fields);
  };

  const noteOdd = (): void => {
    odd++;
    if (odd === 1) log.warn(`what the API server sends is not all ${what}: the rest is skipped`, {});
  };

  /** `level`: of `levels.event` or `levels.page(1)`, which have the same order. */
  const read = (object: unknown, level: number, bytes: number): T | undefined => {
    const isNameOnly = level === levels.object.length;
    const value = isNameOnly ? options.parseName?.(object) : parse(object);
    if (level > 0 && bytes > 0) {
      const outcome = isNameOnly ? "skipped" : "reduced";
      noteTooLarge(object, outcome, bytes);
      options.onTooLarge?.(what, outcome);
    }
    if (value === undefined && !isNameOnly) noteOdd();
    return value;
  };

  /** Goes on until the server ends the stream. `isList`: what comes first is the whole list, used when it is complete. */
  const follow = async (query: Readonly<Record<string, string>>, isList: boolean): Promise<Ended> => {
    let collected: Map<string, T> | undefined = isList ? new Map() : undefined;
    let failure: ApiError | undefined;
    let hasHeard = false;
    const stop = new AbortController();
    const fail = (error: ApiError): void => {
      failure ??= error;
      stop.abort();
    };

    /** False: versions went back, so the storage was restored, and what was read before is of another history. */
    const advance = (version: string): boolean => {
      hasHeard = true;
      if (collected !== undefined || version === "") return true;
      if (isOlder(version, resourceVersion)) {
        fail(noAnswer(`resource versions went back from ${resourceVersion} to ${version}`));
        resourceVersion = "";
        return false;
      }
      resourceVersion = version;
      noteHeard();
      return true;
    };

    const take = (event: WatchEvent, { level, bytes }: Reduced): void => {
      switch (event.kind) {
        case "put": {
          if (!advance(event.resourceVersion)) break;
          const object = read(event.object, level, bytes);
          if (object === undefined) break;
          if (collected !== undefined) collected.set(event.uid, object);
          else onTelling({ kind: "put", object });
          break;
        }
        case "deleted":
          if (!advance(event.resourceVersion)) break;
          if (collected !== undefined) collected.delete(event.uid);
          else onTelling({ kind: "deleted", uid: event.uid });
          break;
        case "bookmark":
          if (collected !== undefined && event.isComplete) {
            onTelling({ kind: "all", objects: [...collected.values()] });
            collected = undefined;
            resourceVersion = event.resourceVersion;
          }
          advance(event.resourceVersion);
          break;
        case "error":
          fail({
            ...noAnswer(`the API server ended the watch: ${event.code} ${event.message}`),
            status: event.code,
          });
          break;
        case "odd":
          noteOdd();
      }
    };

    const onDead = (message: string): void => {
      fail(noAnswer(message));
      // A server whose versions went back may send nothing to a watch that goes on from a later one.
      if (!hasHeard) resourceVersion = "";
    };
    const silence = guardSilence({ ...silences, probe: client.probe, onDead });
    guard = silence;
    let opened: ReturnType<typeof setTimeout> | undefined;
    const onBytes = (): void => {
      silence.heard();
      if (collected === undefined) opened ??= setTimeout(noteHeard, OPENED_MS);
    };
    try {
      const streamed = await client.stream(path({ ...query, watch: "true" }), {
        levels: levels.event,
        onDocument: (document) => {
          if (failure !== undefined) return;
          if (document === undefined) noteTooLarge(undefined, "skipped", 0);
          else take(parseWatchEvent(document.text), document);
        },
        onBytes,
        signal: AbortSignal.any([closing.signal, stop.signal]),
      });
      if (failure !== undefined) return err(failure);
      return streamed.ok ? ok("watched") : streamed;
    } finally {
      silence.stop();
      clearTimeout(opened);
    }
  };

  const list = async (): Promise<Ended> => {
    const objects: T[] = [];
    const onObject = (item: unknown, level: number, bytes: number): void => {
      const object = read(item, level, bytes);
      if (object !== undefined) objects.push(object);
    };
    const listed = await listPages({ client, path, levels, onObject, signal: closing.signal });
    if (!listed.ok) return listed;
    resourceVersion = listed.value;
    onTelling({ kind: "all", objects });
    noteHeard();
    return ok("listed");
  };

  const step = async (): Promise<Ended> => {
    const common = { allowWatchBookmarks: "true", timeoutSeconds: String(WATCH_SECONDS) };
    if (resourceVersion !== "") return follow({ ...common, resourceVersion }, false);
    if (!canStreamLists) return list();
    const initial = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
    const streamed = await follow({ ...common, ...initial }, true);
    // Servers before 1.32, or with the feature off, do not take the parameters.
    if (!streamed.ok && (streamed.error.status === 400 || streamed.error.status === 422)) {
      canStreamLists = false;
      return list();
    }
    return streamed;
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const before = resourceVersion;
      const beganMs = performance.now();
      const ended = await step();
      if (closing.signal.aborted) return;
      if (ended.ok && ended.value === "listed") continue;
      const pause = pace.after(performance.now() - beganMs);
      const cannotGoOn = !ended.ok && before !== "" && isLost(ended.error);
      if (cannotGoOn) resourceVersion = "";
      // That a version is too old is no failure, unless the next ones are as well.
      if (!ended.ok && (!cannotGoOn || pause > 0)) noteFailure(ended.error);
      await sleep(Math.max(pause, ended.ok ? 0 : ended.error.retryAfterMs), closing.signal);
    }
  };
  void run();

  return {
    isConnected: () => isConnected,
    problem: () =>
      isConnected || isMissing ? "" : `${what} of the API server may be out of date: ${reason}`,
    check: async () => await guard?.check(),
    close: () => closing.abort(),
  };
}

/** Whether a watch cannot go on from its version: too old, of another storage, or later than all of a restored one. */
const isLost = ({ status, message }: ApiError): boolean =>
  status === GONE || status === 400 || (status === 504 && message.includes("Too large resource version"));

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
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
