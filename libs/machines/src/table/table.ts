// SPDX-License-Identifier: Apache-2.0

/** One way out of a state: the first whose guard holds is taken. */
export interface Step {
  readonly guard?: string;
  readonly target: string;
  /** In order: of the transition, then of the states that are entered. */
  readonly actions: readonly string[];
  /** Timers that go on; those of the target that are not among them start anew. */
  readonly keeps: readonly string[];
}

export interface Timer {
  /** Names the timer, and is the event that it raises. */
  readonly id: string;
  readonly delay: string;
}

export interface TableState {
  readonly on: Readonly<Record<string, readonly Step[]>>;
  /** All that run while the machine is here, those of the states around it included. */
  readonly timers: readonly Timer[];
  readonly final: boolean;
}

/**
 * A state machine without regions or history, flattened to its leaves: nothing is left to work out while it
 * runs. It is plain JSON, so a bundler can put it into a program.
 */
export interface MachineTable {
  readonly initial: Step;
  readonly states: Readonly<Record<string, TableState>>;
}
