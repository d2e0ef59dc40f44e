// SPDX-License-Identifier: Apache-2.0
// The inspector of one program: its recorder and its server, as the flags --inspect-address and --inspect-token-file say.

import type { Logger } from "@rthooks/log";
import type { Inspect } from "@rthooks/machines/inspection";
import { isLoopback, renderAddress } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import type { AnyStateMachine } from "xstate";
import type { InspectorFacts } from "../core/answer-facts.ts";
import type { RecordedEvent } from "../core/history.ts";
import { createRecorder } from "../core/recorder.ts";
import { readInspectorPlace } from "./inspector-place.ts";
import { serveInspector } from "./serve-inspector.ts";

export interface InspectorOptions {
  /** "host:port" */
  readonly address: string;
  /** File with the token, on one line; empty: no token, which only a loopback address may have. */
  readonly tokenFile: string;
  /** The program's name. */
  readonly program: string;
  /** The machines whose actors are inspected. */
  readonly machines: readonly AnyStateMachine[];
  /** Undefined for a program that explains no containers. */
  readonly facts: InspectorFacts | undefined;
  readonly log: Logger;
}

export interface OpenedInspector {
  readonly inspect: Inspect;
  /** How many clients are connected. */
  clients(): number;
  close(): void;
}

/** A few minutes of a busy node, in some 30 MB. */
const bounds = { maxEvents: 20_000, maxPayload: 16 * 1024 * 1024, maxEnded: 1000, maxPending: 2000 };
/** Between what happens and when clients get it: events of one container then come together. */
const FLUSH_MS = 50;
/** The same without clients. */
const IDLE_FLUSH_MS = 1000;
/** Notes: less than a millisecond of work. Hook calls that arrive meanwhile come next. */
const FLUSHED_AT_ONCE = 64;

/** The error is one line that names the flag. */
export function openInspector({
  address,
  tokenFile,
  program,
  machines,
  facts,
  log,
}: InspectorOptions): Result<OpenedInspector, string> {
  const place = readInspectorPlace(address, tokenFile);
  if (!place.ok) return place;
  const { host } = place.value;
  let publish = (_: readonly RecordedEvent[]): void => {};
  let clients = (): number => 0;
  const recorder = createRecorder({
    nowMs: () => performance.timeOrigin + performance.now(),
    bounds,
    onPending: (isRest) =>
      void setTimeout(flushSome, isRest ? 0 : clients() > 0 ? FLUSH_MS : IDLE_FLUSH_MS).unref(),
  });
  const flushSome = (): void => publish(recorder.flush(FLUSHED_AT_ONCE));
  const definitions = new Map(machines.map(({ id, config }) => [id, JSON.stringify(config)]));
  const server = serveInspector({ ...place.value, program, recorder, definitions, facts, log });
  if (!server.ok) return err(`--inspect-address ${server.error}`);
  ({ publish, clients } = server.value);
  log.info("inspector listens", { address: renderAddress({ kind: "tcp", host, port: server.value.port }) });
  if (!isLoopback(host)) {
    log.warn(
      "the inspector is served to the network: it shows names, labels and images to everyone with the token",
    );
  }
  return ok({ inspect: recorder.inspect, clients, close: server.value.close });
}
