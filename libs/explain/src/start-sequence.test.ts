// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { describeFailure } from "./describe-failure.ts";
import { deniedExample, exampleMs, startedExample } from "./examples.fixture.ts";
import type { Explanation, RuntimeHold } from "./explanation.ts";
import { type SequenceStep, toStartSequence } from "./start-sequence.ts";

const render = ({ from, to, kind, text, tone, atMs, durationMs }: SequenceStep): string => {
  const line = kind === "answer" ? "-->" : "->";
  const took = durationMs === undefined ? "" : ` (${durationMs} ms)`;
  const mark = tone === "neutral" ? "" : ` ${tone}`;
  return `+${(atMs - exampleMs).toFixed(1)} ${from === to ? from : `${from} ${line} ${to}`}: ${text}${took}${mark}`;
};
const draw = (explanation: Explanation) => {
  const { participants, steps } = toStartSequence(explanation);
  return { participants: participants.join(", "), steps: steps.map(render) };
};
const holdOf = ({ hold }: Explanation): RuntimeHold => {
  if (hold === undefined) throw new Error("the example has no hold");
  return hold;
};

describe("a start as a sequence", () => {
  test("that the agent released", () => {
    expect(draw(startedExample)).toEqual({
      participants: "runtime, hook, agent, pod source, kernel map",
      steps: [
        "+0.0 runtime -> hook: call the createRuntime hook",
        "+0.3 hook: read the spec (1.1 ms)",
        "+1.4 hook -> agent: connect to the agent (2.6 ms)",
        "+4.3 agent -> pod source: wait for the pod (5.2 ms)",
        "+9.5 pod source --> agent: answer",
        "+9.6 agent: find the cgroup (0.2 ms)",
        "+9.9 agent -> kernel map: write the filter maps (0.4 ms)",
        "+10.3 agent --> hook: release the container good",
        "+11.4 hook --> runtime: let it start good",
        "+11.4 runtime: start the container good",
      ],
    });
  });

  test("that was denied without the agent", () => {
    expect(draw(deniedExample)).toEqual({
      participants: "runtime, hook, agent",
      steps: [
        "+0.0 runtime -> hook: call the createRuntime hook",
        "+0.2 hook: read the spec (1 ms)",
        "+1.2 hook -> agent: connect to the agent (2000 ms) bad",
        "+2004.0 hook --> runtime: deny the start bad",
        "+2004.0 runtime: do not start it bad",
      ],
    });
  });

  test("that the agent refused: what came of it is not known", () => {
    const failure = describeFailure("cgroup-conflict", "the cgroup is that of c2");
    const { steps } = draw({ ...startedExample, outcome: "failed", failure });
    expect(steps.slice(-2)).toEqual([
      "+10.3 agent --> hook: refuse it: cgroup-conflict bad",
      "+11.4 hook: decide by the fail check bad",
    ]);
  });

  test("that the fail check allowed", () => {
    const failure = describeFailure("unreachable", "no such socket");
    const { steps } = draw({ ...deniedExample, outcome: "running", failure });
    expect(steps.slice(-2)).toEqual([
      "+2004.0 hook --> runtime: let it start: the fail check allows it good",
      "+2004.0 runtime: start the container good",
    ]);
  });

  test("where the clock of the hook is behind that of the agent: the order stays, and the difference is told", () => {
    const hold = { ...holdOf(startedExample), durationMs: 8.8 };
    const { steps, clockGapMs } = toStartSequence({ ...startedExample, hold });
    expect(steps.slice(-3).map(render)).toEqual([
      "+10.3 agent --> hook: release the container good",
      "+8.8 hook --> runtime: let it start good",
      "+8.8 runtime: start the container good",
    ]);
    expect(clockGapMs).toBeCloseTo(1.5);
    expect(toStartSequence(startedExample).clockGapMs).toBe(0);
  });

  test("that was denied while the agent worked on", () => {
    const hold = holdOf(deniedExample);
    const wait = (startedMs: number, durationMs: number) =>
      ({ where: "pod source", what: "wait for the pod", startedMs, durationMs }) as const; // const: the place
    const phases = [...hold.phases, wait(hold.startedMs + 100, 3000)];
    const failure = describeFailure("deadline", "no answer");
    const denied = { ...deniedExample, failure, hold: { ...hold, phases } };
    expect(draw(denied).steps.slice(-4)).toEqual([
      "+100.0 agent -> pod source: wait for the pod (3000 ms)",
      "+2004.0 hook --> runtime: deny the start bad",
      "+2004.0 runtime: do not start it bad",
      "+3100.0 pod source --> agent: answer",
    ]);
    expect(toStartSequence(denied).clockGapMs).toBe(0);
  });

  test("that waits has no answer yet", () => {
    const hold = { ...holdOf(startedExample), phases: holdOf(startedExample).phases.slice(0, 3) };
    const { steps } = draw({ ...startedExample, outcome: "held", hold });
    expect(steps.at(-1)).toBe("+9.5 pod source --> agent: answer");
    expect(steps).toHaveLength(5);
  });

  test("that the NRI plugin held, with phases in any order", () => {
    const hold = {
      ...holdOf(startedExample),
      by: "nri" as const,
      phases: holdOf(startedExample).phases.toReversed(),
    };
    const plugin = hold.phases.map(
      (phase) => ({ ...phase, where: phase.where === "hook" ? "plugin" : phase.where }) as const,
    );
    const { participants, steps } = draw({ ...startedExample, hold: { ...hold, phases: plugin } });
    expect(participants).toBe("runtime, plugin, agent, pod source, kernel map");
    expect(steps.slice(0, 3)).toEqual([
      "+0.0 runtime -> plugin: send NRI StartContainer",
      "+0.3 plugin: read the spec (1.1 ms)",
      "+1.4 plugin -> agent: connect to the agent (2.6 ms)",
    ]);
  });

  test("without phases", () => {
    const hold = { ...holdOf(startedExample), phases: [] };
    expect(draw({ ...startedExample, hold }).steps).toEqual([
      "+0.0 runtime -> hook: call the createRuntime hook",
      "+11.4 agent --> hook: release the container good",
      "+11.4 hook --> runtime: let it start good",
      "+11.4 runtime: start the container good",
    ]);
  });

  test("that nothing held", () => {
    expect(draw({ ...startedExample, hold: undefined })).toEqual({
      participants: "runtime, agent",
      steps: [
        "+4.2 runtime: started the container earlier, unheld",
        "+4.2 runtime -> agent: report it (hook)",
      ],
    });
  });
});
