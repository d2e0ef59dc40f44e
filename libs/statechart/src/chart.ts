// SPDX-License-Identifier: Apache-2.0
// A machine as a drawing needs it: states within states, and transitions with their labels in words.

import type { AnyStateMachine, AnyStateNode } from "xstate";

export interface ChartState {
  /** Unique in the machine: the keys from the outermost state to this one, "active.loading". */
  readonly id: string;
  readonly name: string;
  readonly kind: "atomic" | "compound" | "final";
  /** One or two sentences; empty where the machine has none. */
  readonly description: string;
  readonly isInitial: boolean;
  /** Names of actions. */
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Transitions that leave no state. */
  readonly internal: readonly ChartStep[];
  readonly children: readonly ChartState[];
}

/** What causes a transition, and what it does. */
export interface ChartStep {
  /** An event type, "after DELAY", or "always". */
  readonly event: string;
  /** The name of a guard; empty where there is none. */
  readonly guard: string;
  /** Names of actions. */
  readonly actions: readonly string[];
}

export interface ChartTransition extends ChartStep {
  /** Ids of states; the source "" is the machine itself: the transition leaves any state. */
  readonly source: string;
  readonly target: string;
}

export interface Chart {
  /** The machine's id. */
  readonly id: string;
  /** Transitions of the machine itself that leave no state. */
  readonly internal: readonly ChartStep[];
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

export function readChart(machine: AnyStateMachine): Chart {
  const { root } = machine;
  const nodes = [root, ...listDescendants(root)];
  return {
    id: machine.id,
    internal: listInternal(root),
    states: Object.values(root.states).map(toState),
    transitions: nodes.flatMap(listTransitions),
  };
}

function listDescendants(node: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(node.states).flatMap((child) => [child, ...listDescendants(child)]);
}

const toId = (node: AnyStateNode): string => node.path.join(".");

function toState(node: AnyStateNode): ChartState {
  return {
    id: toId(node),
    name: node.key,
    kind: node.type === "final" ? "final" : node.type === "compound" ? "compound" : "atomic",
    description: node.description ?? "",
    isInitial: node.parent?.initial.target.includes(node) === true,
    entry: node.entry.flatMap(nameOf),
    exit: node.exit.flatMap(nameOf),
    internal: listInternal(node),
    children: Object.values(node.states).map(toState),
  };
}

interface Step extends ChartStep {
  readonly targets: readonly AnyStateNode[];
}

/** In the order in which XState tries them. */
function listSteps(node: AnyStateNode): readonly Step[] {
  const delays = new Map(node.after.map(({ eventType, delay }) => [eventType, String(delay)]));
  const all = [...node.transitions.entries(), ["", node.always ?? []] as const];
  return all.flatMap(([type, transitions]) =>
    transitions.map(({ target, guard, actions }) => ({
      event: type === "" ? "always" : delays.has(type) ? `after ${delays.get(type)}` : type,
      guard: nameOf(guard)[0] ?? "",
      actions: actions.flatMap(nameOf),
      targets: target ?? [],
    })),
  );
}

const listInternal = (node: AnyStateNode): readonly ChartStep[] =>
  listSteps(node).flatMap(({ targets, ...step }) => (targets.length === 0 ? [step] : []));

const listTransitions = (node: AnyStateNode): readonly ChartTransition[] =>
  listSteps(node).flatMap(({ targets, ...step }) =>
    targets.map((target) => ({ ...step, source: toId(node), target: toId(target) })),
  );

/** No name for the functions by which XState starts and stops delays. */
function nameOf(reference: unknown): readonly string[] {
  if (typeof reference === "string") return [reference];
  if (typeof reference !== "object" || reference === null || !("type" in reference)) return [];
  return typeof reference.type === "string" ? [reference.type] : [];
}
