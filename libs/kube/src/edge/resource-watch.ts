// SPDX-License-Identifier: Apache-2.0
// Lists and watches the objects of one kind (Kubernetes API concepts: "Efficient detection of changes").

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import type { Reduced } from "../core/bounded-document.ts";
import type { Keep } from "../core/json-filter.ts";
import { createObjectLevels } from "../core/object-levels.ts";
import { createPace } from "../core/pace.ts";
import type { ReconnectTurn } from "../core/reconnect-line.ts";
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
  /** Only `metadata` of the objects is sent (PartialObjectMetadata). */
  readonly isMetadataOnly?: boolean;
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
  /** Time without bytes on this watch, and on all connections of the process, after which the server is probed. */
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
  probeAfterMs: 45_000,
  beginMs: 75_000,
  idleMs: 100_000,
  settledMs: 10_000,
};
/**
 * The server ends a watch after this time, or up to twice of it, so that the load spreads over its replicas, and so that
 * watches that began together do not end together (client-go does the same).
 */
const WATCH_SECONDS = 300;
/** A watch that ends this much earlier than agreed, or later, has ended as agreed. */
const EARLY_MS = 2000;
const GONE = 410;
const TOO_MANY_REQUESTS = 429;
/** Kubernetes API concepts, "Metadata-only fetches". */
const METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/** Short, since a retry after an unreadable file sends no request. */
const LOCAL_RETRY_MS = 2000;
/** A watch that continues from a version has sent the missed events by then, if the server has not ended it. */
const OPENED_MS = 1000;

/** Stands for a line that was too large even for the name. */
const unnamed: Reduced = { text: "", level: 0, bytes: 0 };

/** How a request ended. `watched`: by the server; `isDue`: when the time was over for which it was asked. */
type Ended = Result<
  { readonly kind: "listed" } | { readonly kind: "watched"; readonly isDue: boolean },
  ApiError
>;

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
  /** Of the request that is sent next, or under way; undefined for one that needs no turn. */
  let turn: ReconnectTurn | undefined;
  /** The request that is under way has got an answer. */
  let isAnswered = false;
  /** What a list must not be older than; empty: any version that the server has in memory will do. */
  let leastVersion = "";
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

  const noteAnswer = (): void => {
    isAnswered = true;
    turn?.answered();
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
    const beganMs = performance.now();
    const seconds = Math.round(WATCH_SECONDS * (1 + random()));
    const common = { allowWatchBookmarks: "true", timeoutSeconds: String(seconds), watch: "true" };
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
    const { probe, silenceMs } = client;
    const silence = guardSilence({ ...silences, probe, processSilenceMs: silenceMs, onDead });
    guard = silence;
    const onBytes = (): void => {
      noteAnswer();
      silence.received();
      if (cursor.isComplete()) opened ??= setTimeout(report.succeeded, OPENED_MS);
    };
    const signal = AbortSignal.any([closing.signal, stop.signal]);
    const streamed = await client.stream(path({ ...query, ...common }), {
      ...{ levels: levels.event, onDocument, onBytes, signal },
      ...(options.isMetadataOnly ? { accept: METADATA } : {}),
    });
    silence.stop();
    clearTimeout(opened);
    if (failure !== undefined) return err(failure);
    const isDue = performance.now() - beganMs >= seconds * 1000 - EARLY_MS;
    return streamed.ok ? ok({ kind: "watched", isDue }) : streamed;
  };

  const list = async (): Promise<Ended> => {
    const objects: T[] = [];
    const onObject = (item: unknown, level: number, bytes: number): void => {
      const object = read(item, level, bytes);
      if (object !== undefined) objects.push(object);
    };
    const listed = await listPages({
      ...{ client, path, levels, onObject, leastVersion, signal: closing.signal },
      ...(options.isMetadataOnly ? { accept: METADATA_LIST } : {}),
    });
    leastVersion = "";
    if (!listed.ok) return listed;
    noteAnswer();
    cursor.goTo(listed.value);
    lastProgressAtMs = performance.now();
    onChange({ kind: "all", objects });
    report.succeeded();
    return ok({ kind: "listed" });
  };

  const step = async (): Promise<Ended> => {
    if (cursor.version() !== "") return follow({ resourceVersion: cursor.version() });
    if (!canStreamLists) return list();
    cursor.beginList();
    const initial = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };
    const streamed = await follow(initial);
    // Servers before 1.32, or with the WatchList feature off, reject the parameters.
    if (!streamed.ok && (streamed.error.status === 400 || streamed.error.status === 422)) {
      canStreamLists = false;
      return list();
    }
    return streamed;
  };

  /** Waits until the next request may be sent. */
  const awaitTurn = async (pauseMs: number): Promise<void> => {
    await sleep(pauseMs, closing.signal);
    turn = await client.reconnects.enter(closing.signal);
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const isResumed = cursor.version() !== "";
      const beganMs = performance.now();
      isAnswered = false;
      const ended = await step();
      const livedMs = performance.now() - beganMs;
      if (ended.ok || !isRefusal(ended.error)) noteAnswer();
      else turn?.refused(ended.error.retryAfterMs);
      if (closing.signal.aborted) return;
      const hadTurn = turn !== undefined;
      turn = undefined;
      if (ended.ok && ended.value.kind === "listed") {
        if (hadTurn) await awaitTurn(0);
        continue;
      }
      if (ended.ok && ended.value.kind === "watched" && ended.value.isDue) continue;
      if (!ended.ok && ended.error.isLocal) {
        report.failed(ended.error);
        await sleep(LOCAL_RETRY_MS, closing.signal);
        continue;
      }
      // A request without an answer makes the windows of the line longer.
      const pauseMs = isAnswered ? pace.after(livedMs) : 0;
      const mustRelist =
        !ended.ok && (ended.error.status === GONE || (isResumed && isVersionLost(ended.error)));
      if (mustRelist) {
        leastVersion = ended.error.status === GONE ? cursor.version() : "";
        cursor.goTo("");
      }
      // A version that has expired is a normal end of a watch, unless it repeats.
      if (!ended.ok && (!mustRelist || pauseMs > 0)) report.failed(ended.error);
      await awaitTurn(pauseMs);
    }
    turn?.answered();
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

/** Whether the server is out of reach, or answers "not now". */
const isRefusal = ({ status }: ApiError): boolean =>
  status === 0 || status === TOO_MANY_REQUESTS || status >= 500;
