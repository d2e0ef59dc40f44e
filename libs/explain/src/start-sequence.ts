// SPDX-License-Identifier: Apache-2.0
// The start of one container as a sequence diagram: who asked whom, when, and how long each step took.

import type { Explanation, HoldPhase, RuntimeHold } from "./explanation.ts";
import { findClockGap, orderSteps } from "./order-steps.ts";

export type Participant = "runtime" | "hook" | "plugin" | "agent" | "pod source" | "kernel map";

export interface StartSequence {
  /** Those that take part, in the order of a call: each asks the ones to its right. */
  readonly participants: readonly Participant[];
  /** In the order in which one leads to the other, and where that leaves it open in the order of their time. */
  readonly steps: readonly SequenceStep[];
  /** The clocks of the holder and of the agent differ by at least so many milliseconds; 0 where the times do not show it. */
  readonly clockGapMs: number;
}

export interface SequenceStep {
  readonly from: Participant;
  /** The same as `from` for what one of them does by itself. */
  readonly to: Participant;
  /** `answer`: of an earlier call. */
  readonly kind: "call" | "answer" | "work";
  readonly text: string;
  readonly tone: "neutral" | "good" | "bad";
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
  /** Milliseconds; undefined for a step that takes no time or whose time is not known. */
  readonly durationMs: number | undefined;
}

const columns: readonly Participant[] = ["runtime", "hook", "plugin", "agent", "pod source", "kernel map"];

/** Failures in which the agent gave no answer. */
const unanswered: ReadonlySet<string> = new Set(["unreachable", "deadline", "spec"]);

export function toStartSequence(explanation: Explanation): StartSequence {
  const { hold } = explanation;
  const steps = hold === undefined ? listUnheld(explanation) : listHeld(explanation, hold);
  const present = new Set(steps.flatMap(({ from, to }) => [from, to]));
  return { participants: columns.filter((one) => present.has(one)), steps, clockGapMs: findClockGap(steps) };
}

function listHeld(explanation: Explanation, hold: RuntimeHold): readonly SequenceStep[] {
  const holder = hold.by === "hook" ? "hook" : "plugin";
  const call = hold.by === "hook" ? "call the createRuntime hook" : "send NRI StartContainer";
  const begin: SequenceStep = {
    ...{ from: "runtime", to: holder, kind: "call", text: call, tone: "neutral" },
    ...{ atMs: hold.startedMs, durationMs: undefined },
  };
  const phases = hold.phases.flatMap((phase) => toSteps(phase, holder, toCallTone(explanation)));
  if (explanation.outcome === "held") return [begin, ...orderSteps(phases, undefined, holder)];
  const answer = findAnswer(explanation, hold, holder);
  const steps = orderSteps(phases, answer, holder);
  const endMs = hold.startedMs + hold.durationMs;
  const verdict = listVerdict(explanation, holder, endMs);
  if (answer !== undefined) return [begin, ...steps, ...verdict];
  // The holder did not wait for the agent, which may have worked on.
  const isLater = ({ atMs, from }: SequenceStep): boolean => from !== holder && atMs > endMs;
  return [begin, ...steps.filter((step) => !isLater(step)), ...verdict, ...steps.filter(isLater)];
}

/** Of calls to the agent. */
const toCallTone = ({ failure }: Explanation): SequenceStep["tone"] =>
  failure !== undefined && unanswered.has(failure.kind) ? "bad" : "neutral";

/** A phase of hook or plugin that names the agent is a call to it. */
function toSteps(
  { where, what, startedMs, durationMs }: HoldPhase,
  holder: Participant,
  callTone: SequenceStep["tone"],
): readonly SequenceStep[] {
  const at = { tone: "neutral", text: what, atMs: startedMs, durationMs } as const; // const: a literal
  if (where === "agent") return [{ ...at, from: "agent", to: "agent", kind: "work" }];
  if (where === "kernel map") return [{ ...at, from: "agent", to: "kernel map", kind: "call" }];
  if (where === "pod source") {
    const answer = { ...at, text: "answer", atMs: startedMs + durationMs, durationMs: undefined };
    return [
      { ...at, from: "agent", to: "pod source", kind: "call" },
      { ...answer, from: "pod source", to: "agent", kind: "answer" },
    ];
  }
  if (/\bagent\b/.test(what)) return [{ ...at, from: holder, to: "agent", kind: "call", tone: callTone }];
  return [{ ...at, from: holder, to: holder, kind: "work" }];
}

/** After the last of the agent's own phases; at the end of the hold where it has none. */
function findAnswer(
  { failure }: Explanation,
  { startedMs, durationMs, phases }: RuntimeHold,
  holder: Participant,
): SequenceStep | undefined {
  if (failure !== undefined && unanswered.has(failure.kind)) return undefined;
  const ends = phases.flatMap(({ where, startedMs: from, durationMs: took }) =>
    where === "hook" || where === "plugin" ? [] : [from + took],
  );
  const atMs = ends.length === 0 ? startedMs + durationMs : Math.max(...ends);
  const step = { from: "agent", to: holder, kind: "answer", atMs, durationMs: undefined } as const; // const: literals
  return failure === undefined
    ? { ...step, text: "release the container", tone: "good" }
    : { ...step, text: `refuse it: ${failure.kind}`, tone: "bad" };
}

function listVerdict(
  { outcome, failure }: Explanation,
  holder: Participant,
  atMs: number,
): readonly SequenceStep[] {
  const at = { atMs, durationMs: undefined };
  const work = (from: Participant, text: string, tone: SequenceStep["tone"]): SequenceStep => ({
    ...{ ...at, from, to: from, kind: "work", text, tone },
  });
  const reply = (text: string, tone: SequenceStep["tone"]): SequenceStep => ({
    ...{ ...at, from: holder, to: "runtime", kind: "answer", text, tone },
  });
  switch (outcome) {
    case "denied":
      return [reply("deny the start", "bad"), work("runtime", "do not start it", "bad")];
    case "failed":
      return [work(holder, "decide by the fail check", "bad")];
    default: {
      const why = failure === undefined ? "let it start" : "let it start: the fail check allows it";
      return [reply(why, "good"), work("runtime", "start the container", "good")];
    }
  }
}

function listUnheld({ firstReportMs, identity, failure }: Explanation): readonly SequenceStep[] {
  const source = identity.find(({ part }) => part === "container")?.source ?? "";
  const step = { atMs: firstReportMs, durationMs: undefined, tone: "neutral" } as const; // const: a literal
  const report = `report it${source === "" ? "" : ` (${source})`}`;
  return [
    { ...step, from: "runtime", to: "runtime", kind: "work", text: "started the container earlier, unheld" },
    { ...step, from: "runtime", to: "agent", kind: "call", text: report },
    ...(failure === undefined
      ? []
      : [{ ...step, from: "agent", to: "agent", kind: "work", text: failure.kind, tone: "bad" } as const]),
  ];
}
