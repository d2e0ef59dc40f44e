// SPDX-License-Identifier: Apache-2.0
// A recording is NDJSON: one "@rthooks.recording", then the inspector's messages as it sent them (@statelyai/inspect 0.7),
// without the definitions of machines, which the first line has. Between them is what it answered to GET /api/overview and
// GET /api/explain at that time, and at the end "@rthooks.end". All times are Unix times in milliseconds (`atMs`).

import { err, ok, parseJsonObject, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { Recording, RecordingEntry } from "../core/recording.ts";
import { explanationSchema, overviewSchema, time } from "./facts-schemas.ts";
import { createInspectedActors, type InspectedActors } from "./inspected-actors.ts";

export const RECORDING_VERSION = 1;

const maxLines = 1_000_000;
const maxLineLength = 4 * 1024 * 1024;

const name = v.pipe(v.string(), v.maxLength(8192));
const event = v.looseObject({ type: name });
const snapshot = v.looseObject({ status: name, value: v.optional(v.unknown()) });
const about = { sessionId: name, rootId: name, atMs: time };

const headSchema = v.object({
  type: v.literal("@rthooks.recording"),
  version: v.literal(RECORDING_VERSION),
  atMs: time,
  program: v.pipe(v.string(), v.maxLength(256)),
  machines: v.pipe(v.array(v.object({ id: name, definition: v.string() })), v.maxLength(64)),
});

const lineSchema = v.variant("type", [
  v.object({ type: v.literal("@rthooks.end"), atMs: time }),
  v.object({
    type: v.literal("@xstate.actor"),
    ...about,
    machine: name,
    name,
    parentId: v.optional(name),
    changedMs: v.optional(time),
    snapshot,
  }),
  v.object({ type: v.literal("@xstate.event"), ...about, sourceId: v.optional(name), event }),
  v.object({ type: v.literal("@xstate.snapshot"), ...about, event, snapshot }),
  v.object({ type: v.literal("@rthooks.overview"), atMs: time, overview: overviewSchema }),
  v.object({ type: v.literal("@rthooks.explanation"), atMs: time, explanation: explanationSchema }),
]);

/** The error is one line, with the number of the line in the file. */
export function parseRecording(text: string): Result<Recording, string> {
  const lines = text.split("\n", maxLines + 1);
  if (lines.length > maxLines) return err(`has more than ${maxLines} lines`);
  const head = parseLine(headSchema, lines[0] ?? "");
  if (!head.ok) return err(`is not a recording of \`tetragon inspect --record\`: ${head.error}`);
  const { program, machines, atMs: startedMs } = head.value;
  const actors = createInspectedActors();
  const entries: RecordingEntry[] = [];
  for (const [at, text] of lines.entries()) {
    if (at === 0 || text === "") continue;
    const line = parseLine(lineSchema, text);
    if (!line.ok) return err(`line ${at + 1}: ${line.error}`);
    if (line.value.type === "@rthooks.end") {
      const definitions = new Map(machines.map(({ id, definition }) => [id, definition]));
      return ok({ program, startedMs, endedMs: line.value.atMs, definitions, entries });
    }
    entries.push(...toEntries(line.value, actors));
  }
  return err("is cut off: its last line is not the end of a recording");
}

type Line = Exclude<v.InferOutput<typeof lineSchema>, { readonly type: "@rthooks.end" }>;

function toEntries(line: Line, actors: InspectedActors): readonly RecordingEntry[] {
  const { atMs } = line;
  switch (line.type) {
    case "@xstate.actor": {
      const started = toInspected(atMs, actors.start(line));
      // An actor that lived already comes with its state; the others get theirs from the next message.
      if (line.snapshot.value === undefined) return started;
      const change = actors.change({ ...line, event: { type: "xstate.init" } });
      return [...started, ...toInspected(line.changedMs ?? atMs, change)];
    }
    case "@xstate.event":
      return toInspected(atMs, actors.receive(line));
    case "@xstate.snapshot":
      return toInspected(atMs, actors.change(line));
    case "@rthooks.overview":
      return [{ kind: "overview", atMs, overview: line.overview }];
    case "@rthooks.explanation":
      return [{ kind: "explanation", atMs, explanation: line.explanation }];
  }
}

const toInspected = (
  atMs: number,
  inspected: ReturnType<InspectedActors["receive"]>,
): readonly RecordingEntry[] => (inspected === undefined ? [] : [{ kind: "inspected", atMs, inspected }]);

function parseLine<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): Result<v.InferOutput<Schema>, string> {
  if (text.length > maxLineLength) return err(`it has more than ${maxLineLength} characters`);
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return err(`it is ${parsed.error}`);
  const result = v.safeParse(schema, parsed.value);
  if (result.success) return ok(result.output);
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  return err(`${path === null ? "" : `${path}: `}${issue.message}`.slice(0, 200).replaceAll(/\s+/g, " "));
}
