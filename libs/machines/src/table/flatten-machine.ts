// SPDX-License-Identifier: Apache-2.0
// Turns an XState machine into a table. Done when a program is built, never when it runs: creating and stepping
// the machine itself costs a hook process some 2 ms of its 6 (docs/adr/0004).

import type { AnyStateMachine, AnyStateNode } from "xstate";
import type { MachineTable, Step, TableState, Timer } from "./table.ts";

/** Throws on what a table cannot say: regions, history, eventless or self-re-entering transitions, exit actions. */
export function flattenMachine(machine: AnyStateMachine): MachineTable {
  const leaves = leavesBelow(machine.root);
  const states: Record<string, TableState> = {};
  for (const leaf of leaves) states[nameOf(leaf)] = flattenLeaf(leaf);
  const first = initialLeaf(machine.root);
  return {
    initial: { target: nameOf(first), actions: entered(first, undefined), keeps: [] },
    states,
  };
}

type Transition = AnyStateNode["transitions"] extends Map<string, (infer T)[]> ? T : never;

function flattenLeaf(leaf: AnyStateNode): TableState {
  const on: Record<string, Step[]> = {};
  // Inner states answer first, as in SCXML's document order.
  for (const owner of ancestry(leaf)) {
    for (const [event, transitions] of owner.transitions) {
      on[event] = [...(on[event] ?? []), ...transitions.map((transition) => toStep(leaf, transition))];
    }
  }
  return { on, timers: timersOf(leaf), final: leaf.type === "final" };
}

function toStep(leaf: AnyStateNode, transition: Transition): Step {
  const [target, ...others] = transition.target ?? [];
  if (target === undefined || others.length > 0 || transition.reenter) {
    throw new Error(`${leaf.id}: ${transition.eventType}: a table step has one target and does not re-enter`);
  }
  const destination = initialLeaf(target);
  // The innermost state that is neither left nor entered.
  const domain = ancestry(target)
    .slice(target === transition.source ? 0 : 1)
    .concat(isBelow(target, transition.source) ? [transition.source] : [])
    .filter((node) => isBelow(leaf, node) && (node === transition.source || isBelow(transition.source, node)))
    .reduce<AnyStateNode | undefined>(
      (inner, node) => (inner === undefined || isBelow(node, inner) ? node : inner),
      undefined,
    );
  const guard = nameOfReference(transition.guard);
  return {
    ...(guard === undefined ? {} : { guard }),
    target: nameOf(destination),
    actions: [...references(transition.actions), ...entered(destination, domain)],
    keeps: domain === undefined ? [] : timersOf(domain).map((timer) => timer.id),
  };
}

/** From the state outwards, itself included. */
function ancestry(node: AnyStateNode): AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...ancestry(node.parent)];
}

const isBelow = (node: AnyStateNode, other: AnyStateNode): boolean =>
  node !== other && ancestry(node).includes(other);

function leavesBelow(node: AnyStateNode): AnyStateNode[] {
  if (node.type === "parallel" || node.type === "history") {
    throw new Error(`${node.id}: a table has no ${node.type} states`);
  }
  if (node.exit.some((action) => nameOfReference(action) !== undefined) || (node.always ?? []).length > 0) {
    throw new Error(`${node.id}: a table has no exit actions and no eventless transitions`);
  }
  const children: AnyStateNode[] = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(leavesBelow);
}

function initialLeaf(node: AnyStateNode): AnyStateNode {
  const [target] = Object.keys(node.states).length === 0 ? [] : (node.initial.target ?? []);
  return target === undefined ? node : initialLeaf(target);
}

/** Entry actions on the way from `domain`, which stays, down to the leaf. */
function entered(leaf: AnyStateNode, domain: AnyStateNode | undefined): string[] {
  return ancestry(leaf)
    .filter((node) => domain === undefined || isBelow(node, domain))
    .reverse()
    .flatMap((node) => references(node.entry));
}

function timersOf(node: AnyStateNode): Timer[] {
  return ancestry(node)
    .reverse()
    .flatMap((owner) => owner.after)
    .map((timer) => ({ id: timer.eventType, delay: String(timer.delay) }));
}

/** XState's own actions, such as those that start a delay, are functions; the machine's are named. */
const references = (actions: readonly unknown[]): string[] =>
  actions.map(nameOfReference).filter((name) => name !== undefined);

function nameOfReference(reference: unknown): string | undefined {
  if (typeof reference === "string") return reference;
  return typeof reference === "object" && reference !== null && "type" in reference
    ? String(reference.type)
    : undefined;
}

const nameOf = (node: AnyStateNode): string => node.key;
