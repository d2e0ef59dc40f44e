// SPDX-License-Identifier: Apache-2.0
// `tetragon inspect`, loaded on demand: it has the inspector's page.

import { gzipSync } from "node:zlib";
import { type FlagValues, formatDuration } from "@rthooks/flags";
import { type InspectorPlace, readInspectorPlace } from "@rthooks/inspector/place";
import { recordInspector } from "@rthooks/inspector/record";
import { readRecording } from "@rthooks/inspector/recording";
import { openReplay } from "@rthooks/inspector/replay";
import { createLogWriter } from "@rthooks/log";
import { isLoopback, renderAddress } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { renderSysError } from "@rthooks/sys";
import { replaceFile } from "@rthooks/sys/atomic-file";
import type { inspectCommandFlags } from "../core/flag-tables.ts";

type InspectFlags = FlagValues<typeof inspectCommandFlags>;

/** The error is one line. */
export async function runInspect(flags: InspectFlags): Promise<Result<void, string>> {
  if ((flags.replay === "") === (flags.record === "")) {
    return err("give --replay FILE to show a recording, or --record FILE to make one");
  }
  const place = readInspectorPlace(flags["inspect-address"], flags["inspect-token-file"]);
  if (!place.ok) return place;
  return flags.replay === "" ? await record(flags, place.value) : await replay(flags, place.value);
}

async function record(
  { record: path, duration }: InspectFlags,
  place: InspectorPlace,
): Promise<Result<void, string>> {
  const recorded = await recordInspector({
    ...{ place, durationMs: duration, signal: onInterrupt() },
    onStart: () =>
      void process.stdout.write(`recording for ${formatDuration(duration)}; Ctrl-C ends it early\n`),
  });
  if (!recorded.ok) return recorded;
  const { text, messages, durationMs, problem } = recorded.value;
  const written = replaceFile(path, path.endsWith(".gz") ? gzipSync(text) : text, { mode: 0o600 });
  if (!written.ok) return err(`cannot write ${path}: ${renderSysError(written.error)}`);
  const seconds = (durationMs / 1000).toFixed(1);
  process.stdout.write(`${path} has ${messages} messages of ${seconds} s\n`);
  return problem === undefined ? ok(undefined) : err(`the recording ended early: ${problem}`);
}

async function replay(flags: InspectFlags, place: InspectorPlace): Promise<Result<void, string>> {
  const speed = Number(flags.speed);
  if (!(speed >= 0.01 && speed <= 1000))
    return err(`--speed ${flags.speed} is not a number from 0.01 to 1000`);
  const recording = readRecording(flags.replay);
  if (!recording.ok) return recording;
  const { startedMs, endedMs, program } = recording.value;
  const interrupted = onInterrupt();
  const opened = openReplay({
    ...{ recording: recording.value, place, speed, loops: flags.loop },
    log: createLogWriter(process.stderr.fd, "text", "warn"),
    onEnd: () =>
      void (flags.loop || process.stdout.write("the recording has ended; Ctrl-C ends the replay\n")),
  });
  if (!opened.ok) return opened;
  const { port, close } = opened.value;
  const host = isLoopback(place.host) ? place.host : "HOST";
  const seconds = Math.round((endedMs - startedMs) / 1000);
  const address = renderAddress({ kind: "tcp", host, port });
  process.stdout.write(
    `${seconds} s of ${program}, recorded at ${new Date(startedMs).toISOString()}: open http://${address}/\n`,
  );
  await new Promise((resolve) => interrupted.addEventListener("abort", resolve, { once: true }));
  close();
  return ok(undefined);
}

/** Aborted by SIGINT or SIGTERM. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => controller.abort());
  return controller.signal;
}
