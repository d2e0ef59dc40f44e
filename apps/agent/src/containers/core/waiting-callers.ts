// SPDX-License-Identifier: Apache-2.0
// The callers that wait for the answer of a container. Those of one container share the work: all of them get the answer
// of its state machine.

import type { Refusal } from "../../base/core/refusal.ts";

/** Undefined: the container may start. */
export type OnAnswer = (refusal: Refusal | undefined) => void;

export interface WaitingCallers {
  add(containerId: string, onAnswer: OnAnswer): void;
  /** Answers all callers of the container. Each is called once. */
  answer(containerId: string, refusal: Refusal | undefined): void;
}

export function createWaitingCallers(): WaitingCallers {
  const callersOf = new Map<string, OnAnswer[]>();
  return {
    add(containerId, onAnswer) {
      const callers = callersOf.get(containerId);
      if (callers === undefined) callersOf.set(containerId, [onAnswer]);
      else callers.push(onAnswer);
    },
    answer(containerId, refusal) {
      const callers = callersOf.get(containerId);
      if (callers === undefined) return;
      callersOf.delete(containerId);
      for (const onAnswer of callers) onAnswer(refusal);
    },
  };
}
