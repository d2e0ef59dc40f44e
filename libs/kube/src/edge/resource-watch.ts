// SPDX-License-Identifier: Apache-2.0
// All objects of one kind, as the API server reports them (Kubernetes API concepts: "Efficient detection of changes").

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Reduced } from "../core/bounded-document.ts";
import type { Keep } from "../core/json-filter.ts";
import { createObjectLevels } from "../core/object-levels.ts";
import { createPace } from "../core/pace.ts";
import { createWatchCursor, type ResourceChange } from "../core/watch-cursor.ts";
import { parseWatchEvent } from "../core/watch-event.ts";
import type { ApiClient } from "./api-client.ts";
import { type ApiError, noAnswer } from "./api-error.ts";
import { createConnectionReport } from "./connection-report.ts";
import { listPages } from "./list-pages.ts";
import { guardSilence, type SilenceGuard } from "./silence-guard.ts";
import { sleep } from "./sleep.ts";
import { createTooLargeLog, type TooLarge } from "./too-large.ts";

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
  onChange(change: ResourceChange<T>): void;
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
/** Files that are not there yet cost the server nothing. */
const LOCAL_RETRY_MS = 2000;
/** A watch that goes on from a version, and was not ended by then, has sent what was missed. */
const OPENED_MS = 1000;

/** A line that not even a name was found in. */
const unnamed: Reduced = { text: "", level: 0, bytes: 0 };

/** What a request came to, where it did not fail. */
type Ended = Result<"listed" | "watched", ApiError>;

export function watchResource<T>(options: WatchOptions<T>): ResourceWatch {
  const { client, what, log, parse, onChange, random = Math.random } = options;
  const { settledMs, ...silences } = { ...usualTiming, ...options.timing };
  const levels = createObjectLevels(options.keep);
  const noteTooLarge = createTooLargeLog(what, log);
  const report = createConnectionReport(what, log);
  const pace = createPace(settledMs, random);
  const closing = new AbortController();
  const cursor = createWatchCursor<T>();
  let canStreamLists = true;
  let guard: SilenceGuard | undefined;
  let odd = 0;

  const path = (query: Readonly<Record<string, string>>): string => {
    const selected = options.fieldSelector === "" ? {} : { fieldSelector: options.fieldSelector };
    return `${options.path}?${new URLSearchParams({ ...selected, ...query })}`;
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

  /** Goes on until the server ends the stream, or it is given up. */
  const follow = async (query: Readonly<Record<string, string>>): Promise<Ended> => {
    let failure: ApiError | undefined;
    let hasHeard = false;
    let opened: ReturnType<typeof setTimeout> | undefined;
    const stop = new AbortController();
    const fail = (error: ApiError): void => {
      failure ??= error;
      stop.abort();
    };
    const onDocument = (document: Reduced | undefined): void => {
      if (failure !== undefined) return;
      const { text, level, bytes } = document ?? unnamed;
      const meaning = cursor.take(parseWatchEvent(text), (object) => read(object, level, bytes));
      switch (meaning.kind) {
        case "end":
          fail(noAnswer(meaning.message, meaning.status));
          break;
        case "odd":
          noteOdd();
          break;
        case "progress":
          hasHeard = true;
          if (meaning.change !== undefined) onChange(meaning.change);
          if (cursor.isComplete()) report.heard();
      }
    };
    const onDead = (message: string): void => {
      fail(noAnswer(message));
      // A server whose versions went back may send nothing to a watch that goes on from a later one.
      if (!hasHeard) cursor.goTo("");
    };
    const silence = guardSilence({ ...silences, probe: client.probe, onDead });
    guard = silence;
    const onBytes = (): void => {
      silence.heard();
      if (cursor.isComplete()) opened ??= setTimeout(report.heard, OPENED_MS);
    };
    const signal = AbortSignal.any([closing.signal, stop.signal]);
    const options = { levels: levels.event, onDocument, onBytes, signal };
    const streamed = await client.stream(path({ ...query, watch: "true" }), options);
    silence.stop();
    clearTimeout(opened);
    if (failure !== undefined) return err(failure);
    return streamed.ok ? ok("watched") : streamed;
  };

  const list = async (): Promise<Ended> => {
    const objects: T[] = [];
    const onObject = (item: unknown, level: number, bytes: number): void => {
      const object = read(item, level, bytes);
      if (object !== undefined) objects.push(object);
    };
    const listed = await listPages({ client, path, levels, onObject, signal: closing.signal });
    if (!listed.ok) return listed;
    cursor.goTo(listed.value);
    onChange({ kind: "all", objects });
    report.heard();
    return ok("listed");
  };

  const step = async (): Promise<Ended> => {
    const common = { allowWatchBookmarks: "true", timeoutSeconds: String(WATCH_SECONDS) };
    if (cursor.version() !== "") return follow({ ...common, resourceVersion: cursor.version() });
    if (!canStreamLists) return list();
    cursor.beginList();
    const initial = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
    const streamed = await follow({ ...common, ...initial });
    // Servers before 1.32, or with the feature off, do not take the parameters.
    if (!streamed.ok && (streamed.error.status === 400 || streamed.error.status === 422)) {
      canStreamLists = false;
      return list();
    }
    return streamed;
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const isResumed = cursor.version() !== "";
      const beganMs = performance.now();
      const ended = await step();
      if (closing.signal.aborted) return;
      if (ended.ok && ended.value === "listed") continue;
      const isLocal = !ended.ok && ended.error.isLocal;
      const pause = Math.min(pace.after(performance.now() - beganMs), isLocal ? LOCAL_RETRY_MS : Infinity);
      const cannotGoOn = !ended.ok && isResumed && isLost(ended.error);
      if (cannotGoOn) cursor.goTo("");
      // That a version is too old is no failure, unless the next ones are as well.
      if (!ended.ok && (!cannotGoOn || pause > 0)) report.failed(ended.error);
      await sleep(Math.max(pause, ended.ok ? 0 : ended.error.retryAfterMs), closing.signal);
    }
  };
  void run();

  return {
    isConnected: report.isConnected,
    problem: report.problem,
    check: async () => await guard?.check(),
    close: () => closing.abort(),
  };
}

/** Whether a watch cannot go on from its version: too old, of another storage, or later than all of a restored one. */
const isLost = ({ status, message }: ApiError): boolean =>
  status === GONE || status === 400 || (status === 504 && message.includes("Too large resource version"));
