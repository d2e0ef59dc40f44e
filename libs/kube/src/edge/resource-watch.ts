// SPDX-License-Identifier: Apache-2.0
// Lists and watches the objects of one kind (Kubernetes API concepts: "Efficient detection of changes").

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
  /** Empty for all objects. */
  readonly fieldSelector: string;
  /** Undefined if the object is not of this kind. */
  parse(object: unknown): T | undefined;
  /**
   * The members that `parse` needs of an object larger than 1 MiB, then those that it cannot do without. None to keep
   * objects of up to 8 MiB whole.
   */
  readonly keep?: readonly Keep[];
  /** Parses an object that is too large even so, and of which only the name is left. Without it, it is ignored. */
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
  /** Time without bytes after which the server is probed. */
  readonly probeAfterMs: number;
  /** Limit for the response to begin: a proxy may hold it back until the first bookmark. */
  readonly beginMs: number;
  /** Limit without bytes; the server sends a bookmark about once a minute. */
  readonly idleMs: number;
  /** A request that lived this long resets the back-off. */
  readonly settledMs: number;
}

export interface ResourceWatch {
  /** False if the watch is lost, so that the known objects may be out of date. */
  isConnected(): boolean;
  /** One line on why the known objects may be out of date; empty if they are not. */
  problem(): string;
  progress(): WatchProgress;
  /** Another request got no answer: probes the server now, and drops the connection if the probe fails. */
  check(): Promise<void>;
  close(): void;
}

/** How recent the objects of a watch are. */
export interface WatchProgress {
  /** The watch's objects: "pods" */
  readonly what: string;
  /** Milliseconds since the last event, bookmark or list; undefined before the first. */
  readonly silenceMs: number | undefined;
  /** Complete lists that were received; 0: the objects were never known. */
  readonly lists: number;
}

const usualTiming: WatchTiming = {
  probeAfterMs: 30_000,
  beginMs: 75_000,
  idleMs: 100_000,
  settledMs: 10_000,
};
/** The server ends a watch after this time, so that the load spreads over its replicas. */
const WATCH_SECONDS = 300;
const GONE = 410;
/** Short, since a retry after an unreadable file sends no request. */
const LOCAL_RETRY_MS = 2000;
/** A watch that continues from a version has sent the missed events by then, if the server has not ended it. */
const OPENED_MS = 1000;

/** Stands for a line that was too large even for the name. */
const unnamed: Reduced = { text: "", level: 0, bytes: 0 };

/** How a request ended. */
type Ended = Result<"listed" | "watched", ApiError>;

export function watchResource<T>(options: WatchOptions<T>): ResourceWatch {
  const { client, what, log, parse, random = Math.random } = options;
  const { settledMs, ...silences } = { ...usualTiming, ...options.timing };
  const levels = createObjectLevels(options.keep ?? []);
  const noteTooLarge = createTooLargeLog(what, log);
  const report = createConnectionReport(what, log);
  const pace = createPace(settledMs, random);
  const closing = new AbortController();
  const cursor = createWatchCursor<T>();
  let canStreamLists = true;
  let guard: SilenceGuard | undefined;
  let invalidCount = 0;
  let lastProgressAtMs: number | undefined;
  let lists = 0;

  const onChange: typeof options.onChange = (change) => {
    if (change.kind === "all") lists++;
    options.onChange(change);
  };

  const path = (query: Readonly<Record<string, string>>): string => {
    const selected = options.fieldSelector === "" ? {} : { fieldSelector: options.fieldSelector };
    return `${options.path}?${new URLSearchParams({ ...selected, ...query })}`;
  };

  const noteInvalid = (): void => {
    invalidCount++;
    if (invalidCount === 1) log.warn(`ignoring unparsable objects in the ${what} watch`, {});
  };

  /** `level`: an index into `levels.event` or `levels.page(1)`, which have the same order. */
  const read = (object: unknown, level: number, bytes: number): T | undefined => {
    const isNameOnly = level === levels.object.length;
    const value = isNameOnly ? options.parseName?.(object) : parse(object);
    if (level > 0 && bytes > 0) {
      const outcome = isNameOnly ? "skipped" : "reduced";
      noteTooLarge(object, outcome, bytes);
      options.onTooLarge?.(what, outcome);
    }
    if (value === undefined && !isNameOnly) noteInvalid();
    return value;
  };

  /** Follows one watch until the server ends it, it fails, or it is closed. */
  const follow = async (query: Readonly<Record<string, string>>): Promise<Ended> => {
    let failure: ApiError | undefined;
    let hasProgress = false;
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
        case "invalid":
          noteInvalid();
          break;
        case "progress":
          hasProgress = true;
          lastProgressAtMs = performance.now();
          if (meaning.change !== undefined) onChange(meaning.change);
          if (cursor.isComplete()) report.succeeded();
      }
    };
    const onDead = (message: string): void => {
      fail(noAnswer(message));
      // A server with a restored storage may send nothing to a watch that continues from a later version.
      if (!hasProgress) cursor.goTo("");
    };
    const silence = guardSilence({ ...silences, probe: client.probe, onDead });
    guard = silence;
    const onBytes = (): void => {
      silence.received();
      if (cursor.isComplete()) opened ??= setTimeout(report.succeeded, OPENED_MS);
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
    lastProgressAtMs = performance.now();
    onChange({ kind: "all", objects });
    report.succeeded();
    return ok("listed");
  };

  const step = async (): Promise<Ended> => {
    const common = { allowWatchBookmarks: "true", timeoutSeconds: String(WATCH_SECONDS) };
    if (cursor.version() !== "") return follow({ ...common, resourceVersion: cursor.version() });
    if (!canStreamLists) return list();
    cursor.beginList();
    const initial = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
    const streamed = await follow({ ...common, ...initial });
    // Servers before 1.32, or with the WatchList feature off, reject the parameters.
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
      const mustRelist = !ended.ok && isResumed && isVersionLost(ended.error);
      if (mustRelist) cursor.goTo("");
      // A version that has expired is a normal end of a watch, unless it repeats.
      if (!ended.ok && (!mustRelist || pause > 0)) report.failed(ended.error);
      await sleep(Math.max(pause, ended.ok ? 0 : ended.error.retryAfterMs), closing.signal);
    }
  };
  void run();

  return {
    isConnected: report.isConnected,
    problem: report.problem,
    progress: () => ({
      what,
      silenceMs: lastProgressAtMs === undefined ? undefined : performance.now() - lastProgressAtMs,
      lists,
    }),
    check: async () => await guard?.check(),
    close: () => closing.abort(),
  };
}

/** Whether a watch cannot continue from its version: it has expired, or the storage was restored or replaced. */
const isVersionLost = ({ status, message }: ApiError): boolean =>
  status === GONE || status === 400 || (status === 504 && message.includes("Too large resource version"));
