// SPDX-License-Identifier: Apache-2.0
// Reads the table of an XState machine: for the hook when the program is built, in the other programs when they start
// (docs/adr/0004).

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, StateValue } from "xstate";
import type { MachineTable, TableDelay, TableState, TableTransition } from "./machine-table.ts";

/**
 * Throws on what a table cannot express: parallel and history states, invoked actors, final states within other states,
 * several targets, outputs, exit actions of final states and of the root, and actions, guards or delays that are not a
 * plain name.
 */
export function readMachineTable(machine: AnyStateMachine): MachineTable {
  const leaves = findLeaves(machine.root);
  const states: Record<string, TableState> = {};
  for (const leaf of leaves) {
    if (states[leaf.key] !== undefined) return fail(leaf, "another state with the same key");
    states[leaf.key] = toState(leaf);
  }
  const first = findInitialLeaf(machine.root);
  return {
    id: machine.id,
    initial: { target: first.key, actions: namesOnEntry(first, undefined), keeps: [] },
    states,
  };
}

const ANY_EVENT = "*";

function toState(leaf: AnyStateNode): TableState {
  const owners = ancestry(leaf);
  const listTransitions = (event: string): readonly TableTransition[] =>
    // Inner states answer first, and in each state the event's own transitions before those of any event.
    owners.flatMap((owner) =>
      [event, ...(event === ANY_EVENT ? [] : [ANY_EVENT])].flatMap((key) =>
        (owner.transitions.get(key) ?? []).map((transition) => toTransition(leaf, transition)),
      ),
    );
  const events = new Set(owners.flatMap((owner) => [...owner.transitions.keys()]));
  return {
    value: toValue(leaf),
    on: Object.fromEntries([...events].map((event) => [event, listTransitions(event)])),
    always: owners.flatMap((owner) => owner.always ?? []).map((transition) => toTransition(leaf, transition)),
    after: delaysOf(leaf),
    final: leaf.type === "final",
  };
}

function toTransition(leaf: AnyStateNode, transition: AnyTransitionDefinition): TableTransition {
  const guard = transition.guard === undefined ? {} : { guard: toName(leaf, transition.guard) };
  const actions = transition.actions.map((action) => toName(leaf, action));
  const [target, ...others] = transition.target ?? [];
  if (others.length > 0) return fail(leaf, "several targets");
  if (target === undefined) {
    return { ...guard, target: leaf.key, actions, keeps: eventsOf(delaysOf(leaf)) };
  }
  const domain = findDomain(leaf, target, transition);
  const destination = findInitialLeaf(target);
  return {
    ...guard,
    target: destination.key,
    actions: [...namesOnExit(leaf, domain), ...actions, ...namesOnEntry(destination, domain)],
    keeps: eventsOf(delaysOf(domain)),
  };
}

/** The innermost state that is neither left nor entered, as in SCXML's getTransitionDomain. */
function findDomain(
  leaf: AnyStateNode,
  target: AnyStateNode,
  { source, reenter }: AnyTransitionDefinition,
): AnyStateNode {
  if (!reenter && (target === source || isBelow(target, source))) return source;
  const domain = ancestry(target).find((node) => isBelow(target, node) && isBelow(source, node));
  return domain ?? fail(leaf, "a transition that enters the machine's root again");
}

/** From the state outwards, itself included. */
function ancestry(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...ancestry(node.parent)];
}

const isBelow = (node: AnyStateNode, other: AnyStateNode): boolean =>
  node !== other && ancestry(node).includes(other);

function findLeaves(node: AnyStateNode): readonly AnyStateNode[] {
  const isNestedFinal = node.type === "final" && node.parent?.parent !== undefined;
  if (node.type === "parallel" || node.type === "history" || isNestedFinal) {
    return fail(node, isNestedFinal ? "a final state within another" : `a ${node.type} state`);
  }
  if (node.invoke.length > 0) return fail(node, "invoked actors");
  if (node.config.output !== undefined) return fail(node, "an output");
  // XState runs these when the machine ends, besides those of the state that is left.
  const endsWithMachine = node.type === "final" || node.parent === undefined;
  if (endsWithMachine && node.config.exit !== undefined)
    return fail(node, "exit actions at the machine's end");
  if ([...node.transitions.keys()].some((event) => event.endsWith(".*")))
    return fail(node, "a part of an event type");
  const children: readonly AnyStateNode[] = Object.values(node.states);
  return children.length === 0 ? [node] : children.flatMap(findLeaves);
}

function findInitialLeaf(node: AnyStateNode): AnyStateNode {
  if (Object.keys(node.states).length === 0) return node;
  const [target] = node.initial.target;
  if (target === undefined || node.initial.actions.length > 0)
    return fail(node, "actions of an initial state");
  return findInitialLeaf(target);
}

/** From the leaf up to `domain`, which stays. */
const namesOnExit = (leaf: AnyStateNode, domain: AnyStateNode): readonly string[] =>
  ancestry(leaf)
    .filter((node) => isBelow(node, domain))
    .flatMap((node) => toNames(node, node.config.exit));

/** From below `domain`, which stays, down to the leaf. */
const namesOnEntry = (leaf: AnyStateNode, domain: AnyStateNode | undefined): readonly string[] =>
  ancestry(leaf)
    .filter((node) => domain === undefined || isBelow(node, domain))
    .toReversed()
    .flatMap((node) => toNames(node, node.config.entry));

/** Of the state and all around it, outermost first. */
function delaysOf(node: AnyStateNode): readonly TableDelay[] {
  const byEvent = new Map<string, TableDelay>();
  for (const owner of ancestry(node).toReversed()) {
    for (const transition of owner.after) {
      const delay = toName(owner, transition.delay);
      const event = `xstate.after.${delay}.${owner.id}` as const; // const, so that the type says what it begins with
      if (event !== transition.eventType) return fail(owner, `the event ${transition.eventType}`);
      byEvent.set(event, { event, delay });
    }
  }
  return [...byEvent.values()];
}

const eventsOf = (delays: readonly TableDelay[]): readonly string[] => delays.map(({ event }) => event);

function toValue(leaf: AnyStateNode): StateValue {
  const [inner = leaf.key, ...outer] = leaf.path.toReversed();
  return outer.reduce<StateValue>((value, key) => ({ [key]: value }), inner);
}

/** As a config has them: one, a list, or none. */
const toNames = (node: AnyStateNode, references: unknown): readonly string[] =>
  (references === undefined ? [] : [references].flat()).map((reference) => toName(node, reference));

/** "name", or { type: "name" } as XState writes it. */
function toName(node: AnyStateNode, reference: unknown): string {
  if (typeof reference === "string") return reference;
  const isNamed = typeof reference === "object" && reference !== null && "type" in reference;
  if (!isNamed || ("params" in reference && reference.params !== undefined)) {
    return fail(node, "an action, guard or delay that is not a plain name");
  }
  return String(reference.type);
}

function fail(node: AnyStateNode, what: string): never {
  throw new Error(`state ${node.id}: a machine table cannot express ${what}`);
}
