// SPDX-License-Identifier: Apache-2.0
// Serves the inspector's page from a recording: what was recorded goes through a recorder again, at its own pace.

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { createRecordedFacts } from "../core/recorded-facts.ts";
import { createRecorder } from "../core/recorder.ts";
import type { Recording, RecordingEntry } from "../core/recording.ts";
import { createPlayer } from "../core/recording-player.ts";
import type { InspectorPlace } from "./inspector-place.ts";
import { type InspectorServer, serveInspector } from "./serve-inspector.ts";

export interface ReplayOptions {
  readonly recording: Recording;
  readonly place: InspectorPlace;
  /** 2 plays in half of the time. */
  readonly speed: number;
  /** Starts again a moment after the end; the clients connect again by themselves. */
  readonly loops: boolean;
  readonly log: Logger;
  /** The last entry was played. */
  onEnd(): void;
}

export interface Replay {
  readonly port: number;
  close(): void;
}

const bounds = { maxEvents: 200_000, maxPayload: 128 * 1024 * 1024, maxEnded: 10_000, maxPending: 10_000 };
const clientPollMs = 100;
/** Entries that are due together are sent together. */
const shortestMs = 20;
const longestMs = 1000;
/** How long the last state is seen before the replay starts again. */
const pauseMs = 5000;

/** It begins with the first client. The error is one line. */
export function openReplay(options: ReplayOptions): Result<Replay, string> {
  const { loops, onEnd } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const schedule = (action: () => void, delayMs: number): void => {
    timer = setTimeout(action, delayMs);
  };
  let run = startRun(options, schedule, end);
  if (!run.ok) return run;
  const { port } = run.value;

  function end(): void {
    onEnd();
    if (loops) schedule(startAgain, pauseMs);
  }

  function startAgain(): void {
    if (run.ok) run.value.close();
    run = startRun({ ...options, place: { ...options.place, port } }, schedule, end);
    if (!run.ok) options.log.error("the replay cannot start again", { err: run.error });
  }

  return ok({
    port,
    close() {
      clearTimeout(timer);
      if (run.ok) run.value.close();
    },
  });
}

/** One time from the start to the end, with a server of its own, so that clients start over too. */
function startRun(
  { recording, place, speed, log }: ReplayOptions,
  schedule: (action: () => void, delayMs: number) => void,
  onEnd: () => void,
): Result<InspectorServer, string> {
  let atMs = recording.startedMs;
  const recorder = createRecorder({ nowMs: () => atMs, bounds, onPending: () => {} });
  const recorded = createRecordedFacts();
  const facts = recording.entries.some(({ kind }) => kind === "overview") ? recorded : undefined;
  const { program, definitions } = recording;
  const opened = serveInspector({ ...place, program, recorder, definitions, facts, log });
  if (!opened.ok) return err(`--inspect-address ${opened.error}`);
  const server = opened.value;
  const player = createPlayer(recording, speed);
  let beganMs = 0;

  const play = (entry: RecordingEntry): void => {
    if (entry.kind === "inspected") {
      ({ atMs } = entry);
      recorder.inspect(entry.inspected);
    } else recorded.put(entry);
  };

  const step = (): void => {
    const elapsedMs = performance.now() - beganMs;
    player.take(elapsedMs).forEach(play);
    server.publish(recorder.flush());
    const nextMs = player.nextMs();
    if (nextMs === undefined) onEnd();
    else schedule(step, Math.min(longestMs, Math.max(shortestMs, nextMs - elapsedMs)));
  };

  const waitForClient = (): void => {
    if (server.clients() === 0) {
      schedule(waitForClient, clientPollMs);
      return;
    }
    beganMs = performance.now();
    step();
  };
  waitForClient();
  return ok(server);
}
