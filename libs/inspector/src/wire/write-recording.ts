// SPDX-License-Identifier: Apache-2.0
// The text of a recording (see parse-recording.ts), from messages of an inspector and its answers.

import { findContainerId } from "@rthooks/explain";
import { isJsonObject, parseJsonObject } from "@rthooks/result";
import { RECORDING_VERSION } from "./parse-recording.ts";

export interface RecordingWriter {
  /** A message of the inspector as it came. */
  addMessage(text: string): void;
  /** The answers to GET /api/overview and GET /api/explain. */
  addOverview(atMs: number, overview: unknown): void;
  addExplanation(atMs: number, explanation: unknown): void;
  /** Containers whose actors, or those of their hooks, have changed since the last call. */
  takeChanged(): readonly string[];
  /** In UTF-16 code units, so far. */
  length(): number;
  /** How many messages were recorded. */
  messages(): number;
  /** All of it. */
  render(endedMs: number): string;
}

const recorded: ReadonlySet<unknown> = new Set(["@xstate.actor", "@xstate.event", "@xstate.snapshot"]);

export function createRecordingWriter(startedMs: number): RecordingWriter {
  const definitions = new Map<unknown, string>();
  const lines: string[] = [];
  const changed = new Set<string>();
  let program = "";
  let machines: readonly unknown[] = [];
  let length = 0;

  const addLine = (line: object): void => {
    const text = JSON.stringify(line);
    length += text.length + 1;
    lines.push(text);
  };

  return {
    addMessage(text) {
      const parsed = parseJsonObject(text);
      if (!parsed.ok) return;
      const { definition, ...message } = parsed.value;
      if (message["type"] === "@rthooks.hello") {
        program = String(message["program"]);
        machines = Array.isArray(message["machines"]) ? message["machines"] : [];
      }
      if (!recorded.has(message["type"])) return;
      if (typeof definition === "string") definitions.set(message["machine"], definition);
      const { snapshot } = message;
      const containerId = findContainerId(isJsonObject(snapshot) ? snapshot["context"] : undefined);
      if (containerId !== "") changed.add(containerId);
      addLine(message);
    },
    addOverview: (atMs, overview) => addLine({ type: "@rthooks.overview", atMs, overview }),
    addExplanation: (atMs, explanation) => addLine({ type: "@rthooks.explanation", atMs, explanation }),
    takeChanged() {
      const taken = [...changed];
      changed.clear();
      return taken;
    },
    length: () => length,
    messages: () => lines.length,
    render(endedMs) {
      const head = {
        ...{ type: "@rthooks.recording", version: RECORDING_VERSION, atMs: startedMs, program },
        machines: machines.map((id) => ({ id, definition: definitions.get(id) ?? JSON.stringify({ id }) })),
      };
      const end = { type: "@rthooks.end", atMs: endedMs };
      return `${[JSON.stringify(head), ...lines, JSON.stringify(end)].join("\n")}\n`;
    },
  };
}
