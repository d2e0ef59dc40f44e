// SPDX-License-Identifier: Apache-2.0
// Operators read the descriptions of states, in inspectors and listings.
import { expect, test } from "bun:test";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { hookMachine } from "./hook/hook-machine.ts";
import { nriSessionMachine } from "./nri/session-machine.ts";
import { electionMachine } from "./operator/election-machine.ts";
import { operatorMachine } from "./operator/operator-machine.ts";
import { containerMachine } from "./pod/container-machine.ts";
import { podMachine } from "./pod/pod-machine.ts";

const machines: readonly AnyStateMachine[] = [
  ...[hookMachine, podMachine, containerMachine, nriSessionMachine],
  ...[electionMachine, operatorMachine],
];

const listStates = (node: AnyStateNode): readonly AnyStateNode[] =>
  Object.values(node.states).flatMap((state: AnyStateNode) => [state, ...listStates(state)]);

test.each(machines.flatMap(({ root }) => listStates(root)))(
  "$id has a description in sentences",
  ({ description }) => {
    expect(description).toMatch(/^[A-Z].{20,140}\.$/);
  },
);
