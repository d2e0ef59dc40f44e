// SPDX-License-Identifier: Apache-2.0
// The recorded time: steps by number and time, how much happened when, and moments of the past.
import { describe, expect, test } from "bun:test";
import { renderBars, toDensity, toTimeRange } from "./density.ts";
import { createPageActor } from "./page-actor.ts";
import { createPastView } from "./past-view.ts";
import {
  advance,
  live,
  type Playback,
  pause,
  play,
  seek,
  stepShownMs,
  stepTo,
  toLive,
  toSpeed,
} from "./playback.ts";
import { createStepLog, listMoves, type TimelineStep } from "./step-log.ts";
import { chooseSteps } from "./step-window.ts";

const step = (
  sequence: number,
  from: string,
  to: string,
  changes: Partial<TimelineStep> = {},
): TimelineStep => ({
  ...{
    sequence,
    sessionId: "a",
    machine: "container",
    atMs: 1000 + sequence * 10,
    event: "go",
    payload: undefined,
  },
  ...{ from: from === "" ? [] : [from], to: [to], fromSinceMs: 1000 + sequence * 10 - 10 },
  ...{ hasEnded: false, context: { to }, length: 10 },
  ...changes,
});
/** At 1010, 1030, 1040 and 1060 ms; the second is not a move. */
const steps = [
  step(1, "", "seen"),
  step(3, "seen", "seen"),
  step(4, "seen", "placed"),
  step(6, "placed", "failed"),
];

function openLog(bounds = { maxSteps: 100, maxLength: 10_000 }) {
  const dropped: number[] = [];
  const log = createStepLog(bounds, ({ sequence }) => dropped.push(sequence));
  return { log, dropped };
}

function fill() {
  const { log } = openLog();
  for (const one of steps) log.append(one);
  return log;
}

describe("the log of steps", () => {
  const log = fill();
  test.each([
    [1009, 99, -1],
    [1010, 0, -1],
    [1010, 1, 0],
    [1029, 99, 0],
    [1045, 0, 2],
    [1060, 6, 3],
  ])("up to %p ms and the number %p", (atMs, sequence, index) => {
    expect(log.find({ sequence, atMs })).toBe(index);
  });

  test("has steps that come late where they happened", () => {
    const log = fill();
    const sequences = () => Array.from({ length: log.size() }, (_, at) => log.at(at)?.sequence);
    log.append(step(7, "", "loading", { sessionId: "hook", atMs: 1035 }));
    expect(sequences()).toEqual([1, 3, 7, 4, 6]);
    log.prepend([
      step(0, "x", "y", { sessionId: "b", atMs: 1000 }),
      step(0.5, "y", "z", { sessionId: "b", atMs: 1037 }),
    ]);
    expect(sequences()).toEqual([0, 1, 3, 7, 0.5, 4, 6]);
  });

  test.each([
    [1009, -1],
    [1010, 0],
    [1039.9, 1],
    [9999, 3],
  ])("up to %p ms", (atMs, index) => {
    expect(log.findTime(atMs)).toBe(index);
  });

  test("is bounded in number and in size, and the last step stays whatever its size", () => {
    const { log, dropped } = openLog({ maxSteps: 3, maxLength: 25 });
    for (const one of steps) log.append(one);
    expect([dropped, log.size(), log.at(0)?.sequence]).toEqual([[1, 3], 2, 4]);
    log.append(step(9, "x", "y", { length: 1000 }));
    expect([dropped, log.size()]).toEqual([[1, 3, 4, 6], 1]);
    expect(log.prepend(steps)).toBe(0);
  });

  test("has the moves between two moments", () => {
    const list = (after: number, upTo: number) =>
      listMoves(log, { sequence: 0, atMs: after }, { sequence: 99, atMs: upTo }).map(
        ({ sequence }) => sequence,
      );
    expect(list(1015, 1040)).toEqual([4]);
    expect(list(1010, 2000)).toEqual([1, 4, 6]);
  });
});

describe("playback", () => {
  const log = fill();
  const at = (playback: Playback) => [playback.moment?.sequence, playback.moment?.atMs, playback.isPlaying];

  test("pauses now, and at the moment that is shown", () => {
    expect(at(pause(live, log))).toEqual([6, 1060, false]);
    const past = seek(live, log, 1035);
    expect(at(pause(play(past, log), log))).toEqual([3, 1035, false]);
  });

  test("steps back over one transition after the other, to the beginning", () => {
    const once = stepTo(live, log, -1);
    const twice = stepTo(once, log, -1);
    const thrice = stepTo(twice, log, -1);
    expect([once, twice, thrice, stepTo(thrice, log, -1)].map(at)).toEqual([
      [4, 1040, false],
      [1, 1010, false],
      [-1, 1010, false],
      [-1, 1010, false],
    ]);
  });

  test("steps forward to the moment after the next transition, and behind the last one to now", () => {
    const once = stepTo(seek(live, log, 0), log, 1);
    const twice = stepTo(once, log, 1);
    const thrice = stepTo(twice, log, 1);
    expect([once, twice, thrice, stepTo(thrice, log, 1), stepTo(live, log, 1)].map(at)).toEqual([
      [1, 1010, false],
      [4, 1040, false],
      [6, 1060, false],
      [undefined, undefined, false],
      [undefined, undefined, false],
    ]);
  });

  test("goes back from between two transitions to the one before the last that was taken", () => {
    expect(at(stepTo(seek(live, log, 1050), log, -1))).toEqual([1, 1010, false]);
  });

  test.each([
    [1, 25, 3, 1035],
    [0.25, 100, 3, 1035],
    [0.1, 300, 4, 1040],
  ])("plays with the speed %p", (speed, elapsedMs, sequence, atMs) => {
    const playing = play({ ...seek(live, log, 1010), speed }, log);
    expect(at(advance(playing, log, elapsedMs))).toEqual([sequence, atMs, true]);
  });

  test("shows one transition after the other for the same time", () => {
    const playing = play({ ...seek(live, log, 0), speed: "steps" }, log);
    const waiting = advance(playing, log, stepShownMs - 1);
    expect(at(waiting)).toEqual([-1, 1010, true]);
    const first = advance(waiting, log, 1);
    expect(at(first)).toEqual([1, 1010, true]);
    const last = advance(advance(first, log, stepShownMs), log, stepShownMs);
    expect(at(last)).toEqual([6, 1060, true]);
    expect(at(advance(last, log, stepShownMs))).toEqual([undefined, undefined, false]);
  });

  test("plays what is recorded from its beginning, and is live at its end", () => {
    const playing = play(live, log);
    expect(at(playing)).toEqual([-1, 1010, true]);
    expect(at(advance(playing, log, 50))).toEqual([undefined, undefined, false]);
    expect(toLive(playing)).toEqual({ ...live });
  });

  test("does not move while it is paused", () => {
    const paused = pause(seek(live, log, 1035), log);
    expect(advance(paused, log, 1000)).toBe(paused);
  });

  test("works with nothing recorded", () => {
    const { log: empty } = openLog();
    expect([pause(live, empty), seek(live, empty, 5), stepTo(live, empty, -1)].map(at)).toEqual([
      [0, 0, false],
      [-1, 0, false],
      [-1, 0, false],
    ]);
    expect(toTimeRange(empty)).toBeUndefined();
  });

  test.each([
    ["1", 1],
    ["0.25", 0.25],
    ["steps", "steps"],
    ["x", 1],
  ] as const)("reads the speed %p", (value, speed) => {
    expect(toSpeed(value)).toBe(speed);
  });
});

describe("a moment of the past", () => {
  const actorOf = (sessionId: string, sinceMs: number, state: string) =>
    createPageActor(
      { sessionId, parentId: undefined, name: sessionId, machine: "container" },
      { states: [state], changedMs: 1060, hasEnded: false, context: { now: true } },
      sinceMs,
    );
  const actors = [actorOf("a", 1005, "failed"), actorOf("b", 900, "placed"), actorOf("c", 1050, "seen")];
  const trackOf = (sessionId: string) => ({
    steps:
      sessionId === "a"
        ? steps.slice(1)
        : sessionId === "b"
          ? [step(2, "x", "placed", { fromSinceMs: 950 })]
          : [],
    dropped: 0,
  });
  const viewAt = (sequence: number, atMs: number) =>
    createPastView({ actors: () => actors, trackOf }, { sequence, atMs });

  test("has the actors that had started, in the states of then", () => {
    const view = viewAt(4, 1045);
    expect([...view.actors()].map(({ sessionId, states }) => [sessionId, states])).toEqual([
      ["a", ["placed"]],
      ["b", ["placed"]],
    ]);
    expect(view.actor("a")).toMatchObject({ changedMs: 1040, context: { to: "placed" } });
    expect(view.countOf("container", "placed")).toEqual({ living: 2, ended: 0 });
    expect(view.countOf("container", "failed")).toEqual({ living: 0, ended: 0 });
  });

  test("before all steps has the state before the first one, and no context", () => {
    const view = viewAt(1, 1012);
    expect(view.actor("a")).toMatchObject({ states: ["seen"], changedMs: 1020, context: undefined });
    expect(view.actor("b")).toMatchObject({ states: ["x"], changedMs: 950 });
  });

  test("before its first step has no actor that started with it", () => {
    const view = createPastView(
      { actors: () => actors, trackOf: () => ({ steps, dropped: 0 }) },
      { sequence: -1, atMs: 1010 },
    );
    expect([...view.actors()]).toEqual([]);
  });

  test("after all steps has the actors as they are", () => {
    expect([...viewAt(6, 1060).actors()]).toEqual(actors);
  });

  test("keeps the time of the last move where an event did not lead to another state", () => {
    expect(viewAt(3, 1030).actor("a")).toMatchObject({ states: ["seen"], changedMs: 1020 });
  });
});

describe("how much happened when", () => {
  test("by parts of the same length, without events that led nowhere", () => {
    expect(toDensity(fill(), 5)).toEqual([
      { transitions: 1, failures: 0 },
      { transitions: 0, failures: 0 },
      { transitions: 0, failures: 0 },
      { transitions: 1, failures: 0 },
      { transitions: 1, failures: 1 },
    ]);
    expect(toDensity(openLog().log, 2)).toEqual([
      { transitions: 0, failures: 0 },
      { transitions: 0, failures: 0 },
    ]);
  });

  test("as bars: none for nothing, the highest for the most, and one is seen beside thousands", () => {
    expect(renderBars([0, 1000, 1], 1000)).toBe("M1 1V0.000H1.8V1ZM2 1V0.765H2.8V1Z");
  });
});

test("a timeline shows the last steps, and in the past those around the moment", () => {
  const many = Array.from({ length: 1000 }, (_, at) => step(at, "a", "b"));
  const read = (moment: number | undefined) => {
    const window = chooseSteps(
      many,
      moment === undefined ? undefined : { sequence: moment, atMs: 1000 + moment * 10 },
    );
    return [window.steps[0]?.sequence, window.steps.at(-1)?.sequence, window.earlier, window.later];
  };
  expect(read(undefined)).toEqual([800, 999, 800, 0]);
  expect(read(500)).toEqual([351, 550, 351, 449]);
  expect(read(3)).toEqual([0, 199, 0, 800]);
  expect(read(999)).toEqual([800, 999, 800, 0]);
});
