// SPDX-License-Identifier: Apache-2.0
// What is written as a recording is read again, and what is none is an error of one line.
import { describe, expect, test } from "bun:test";
import { deniedExample, overviewExample } from "@rthooks/explain/examples";
import { createActor, setup } from "xstate";
import { createRecorder } from "../core/recorder.ts";
import { parseRecording } from "./parse-recording.ts";
import { renderActor, renderEvent, renderHello } from "./stately-events.ts";
import { createRecordingWriter } from "./write-recording.ts";

const lamp = setup({ types: { context: {} as { readonly report: object } } }).createMachine({
  id: "lamp",
  context: { report: { containerId: "c1" } },
  initial: "off",
  states: { off: { on: { press: "on" } }, on: { on: { press: "off" } } },
});
const definitions = new Map([["lamp", JSON.stringify(lamp.config)]]);

function createTestRecorder(nowMs: () => number) {
  const bounds = { maxEvents: 1000, maxPayload: 1_000_000, maxEnded: 10, maxPending: 1000 };
  return createRecorder({ nowMs, bounds, onPending: () => {} });
}

/** A recording of a lamp that was on already and is pressed, and of one that is new. */
function write() {
  let atMs = 500;
  const source = createTestRecorder(() => atMs++);
  const old = createActor(lamp, { id: "old", inspect: source.inspect });
  old.start();
  old.send({ type: "press" });
  source.flush();
  const writer = createRecordingWriter(1000);
  const hello = { boot: "x", sequence: source.lastSequence(), missed: 0, actors: 1, program: "lamps" };
  writer.addMessage(renderHello({ ...hello, machines: ["lamp"], explains: false }));
  for (const actor of source.actors()) writer.addMessage(renderActor(actor, definitions, hello.sequence));
  const changed = writer.takeChanged();
  atMs = 1100;
  old.send({ type: "press" });
  createActor(lamp, { id: "new", inspect: source.inspect }).start();
  const events = source.flush();
  for (const event of events) writer.addMessage(renderEvent(event, definitions));
  writer.addOverview(1200, overviewExample);
  writer.addExplanation(1300, deniedExample);
  return { text: writer.render(2000), events, changed };
}

test("a replayed recorder has the actors, events, times and machines of the recorded one", () => {
  const { text, events, changed } = write();
  expect(changed).toEqual(["c1"]);
  const recording = parseRecording(text);
  if (!recording.ok) throw new Error(recording.error);
  const { entries, ...head } = recording.value;
  expect(head).toEqual({ program: "lamps", startedMs: 1000, endedMs: 2000, definitions });
  let atMs = 0;
  const replayed = createTestRecorder(() => atMs);
  for (const entry of entries) {
    ({ atMs } = entry);
    if (entry.kind === "inspected") replayed.inspect(entry.inspected);
  }
  const [, , ...later] = replayed.flush();
  const withoutNumber = ({ sequence: _, payload, ...event }: (typeof later)[number]) => ({
    ...event,
    payload: JSON.parse(payload),
  });
  expect(later.map(withoutNumber)).toEqual(events.map(withoutNumber));
  expect([...replayed.actors()].map(({ name, state, sinceMs }) => [name, state, sinceMs])).toEqual([
    ["old", "off", 500],
    ["new", "off", expect.any(Number)],
  ]);
});

test("answers of the inspector are in it, with their times", () => {
  const recording = parseRecording(write().text);
  const facts = recording.ok ? recording.value.entries.filter(({ kind }) => kind !== "inspected") : [];
  // JSON has no members that are undefined.
  expect(JSON.parse(JSON.stringify(facts))).toEqual(
    JSON.parse(
      JSON.stringify([
        { kind: "overview", atMs: 1200, overview: overviewExample },
        { kind: "explanation", atMs: 1300, explanation: deniedExample },
      ]),
    ),
  );
});

describe("what is not a recording", () => {
  const head = '{"type":"@rthooks.recording","version":1,"atMs":1,"program":"x","machines":[]}';
  const about = '"sessionId":"a","rootId":"a","atMs":1';
  const deep = `${"[".repeat(300_000)}${"]".repeat(300_000)}`;
  test.each([
    ["nothing", "", "is not a recording of `tetragon inspect --record`: it is not JSON"],
    ["another JSON", "{}", "is not a recording of `tetragon inspect --record`: type: "],
    [
      "a later version",
      head.replace("1", "2"),
      "is not a recording of `tetragon inspect --record`: version: ",
    ],
    ["one that is cut off", head, "is cut off: its last line is not the end of a recording"],
    ["a line that is cut off", `${head}\n{"type":`, "line 2: it is not JSON"],
    ["a message of another kind", `${head}\n{"type":"@xstate.action"}`, "line 2: type: "],
    ["a time that no date has", `${head}\n{"type":"@rthooks.end","atMs":9e15}`, "line 2: atMs: "],
    [
      "a state that is no object",
      `${head}\n{"type":"@xstate.actor",${about},"machine":"m","name":"n","snapshot":1}`,
      "line 2: snapshot: ",
    ],
    ["a line that is too long", `${head}\n"${"x".repeat(5_000_000)}"`, "line 2: it has more than"],
    ["lists without an end", `${head}\n${deep}`, "line 2: it is not "],
  ])("%s", (_, text, error) => {
    const parsed = parseRecording(text);
    expect(parsed).toEqual({ ok: false, error: expect.stringContaining(error) });
    expect(JSON.stringify(parsed)).not.toContain("\\n");
  });

  test("a state of 100,000 levels is cut, and an event of an unknown actor is left out", () => {
    const value = `${'{"a":'.repeat(100_000)}"x"${"}".repeat(100_000)}`;
    const lines = [
      head,
      `{"type":"@xstate.event",${about},"event":{"type":"go"}}`,
      `{"type":"@xstate.actor",${about},"machine":"m","name":"n","snapshot":{"status":"active","value":${value}}}`,
      '{"type":"@rthooks.end","atMs":5}',
    ];
    const recording = parseRecording(lines.join("\n"));
    if (!recording.ok) throw new Error(recording.error);
    const recorder = createTestRecorder(() => 1);
    for (const entry of recording.value.entries) {
      if (entry.kind === "inspected") recorder.inspect(entry.inspected);
    }
    const events = recorder.flush();
    expect(events.map(({ type }) => type)).toEqual(["@xstate.actor", "@xstate.snapshot"]);
    expect(events[1]?.payload.length).toBeLessThan(1000);
  });
});
