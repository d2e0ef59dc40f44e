// SPDX-License-Identifier: Apache-2.0
// The pod machine as a table: what is done on each event in each state. Its actions are those of XState that the machine
// uses (assign, enqueueActions) and effects; anything else is refused when the table is made.

import type { AnyStateNode, ExecutableActionObject } from "xstate";
import type { PodState } from "./pod-actor.ts";
import type { PodContext, PodEvent, PodInput, podMachine } from "./pod-machine.ts";

interface GuardArgs {
  readonly context: PodContext;
  readonly event: PodEvent;
}

type Implementation =
  | { readonly kind: "effect"; readonly exec: ExecutableActionObject["exec"] }
  | { readonly kind: "assign"; assign(args: unknown, params: unknown): Partial<PodContext> }
  | { readonly kind: "enqueue"; collect(args: unknown, params: unknown): void };

export interface PodAction {
  readonly type: string;
  readonly implementation: Implementation;
  /** A function of context and event, or what it would give. */
  readonly params: unknown;
}

export interface PodStep {
  guard(args: GuardArgs): boolean;
  readonly actions: readonly PodAction[];
  /** Undefined: the state is not left. */
  readonly target: PodState | undefined;
}

interface TableState {
  readonly entry: readonly PodAction[];
  readonly always: readonly PodStep[];
  /** In the order in which they are tried. */
  readonly on: ReadonlyMap<string, readonly PodStep[]>;
  readonly isFinal: boolean;
}

export interface PodTable {
  readonly initial: PodState;
  readonly states: Readonly<Record<PodState, TableState>>;
  toContext(input: PodInput): PodContext;
  /** By its name, without parameters. */
  action(name: string): PodAction;
}

type Machine = typeof podMachine;
type Transition = NonNullable<AnyStateNode["always"]>[number];

/** Throws on what the table cannot say. */
export function readPodTable(machine: Machine): PodTable {
  const { root } = machine;
  const { actions, guards } = machine.implementations;
  const fail = (what: string): never => {
    throw new Error(`${machine.id}: ${what} is nothing that the table can say`);
  };

  const toAction = (reference: unknown): PodAction => {
    const { type, params } =
      typeof reference === "string" ? { type: reference, params: undefined } : readReference(reference, fail);
    // By name from here on: which of them is there is found out now, and not when it is needed.
    const implementation: unknown = Reflect.get(actions, type);
    return { type, params, implementation: readImplementation(type, implementation, fail) };
  };

  const toGuard = (guard: unknown): PodStep["guard"] => {
    if (guard === undefined) return () => true;
    const found: unknown = typeof guard === "string" ? Reflect.get(guards, guard) : undefined;
    if (typeof found !== "function") return fail(`the guard ${JSON.stringify(guard)}`);
    return (args) => found(args, undefined) === true;
  };

  const toStep = ({ guard, actions: references, target, reenter }: Transition): PodStep => {
    const [state, ...others] = target ?? [];
    if (others.length > 0 || reenter)
      return fail("a transition with several targets, or back into its state");
    return { guard: toGuard(guard), actions: references.map(toAction), target: state && toName(state) };
  };

  const toState = (node: AnyStateNode): TableState => {
    if ((node.type !== "atomic" && node.type !== "final") || node.exit.length > 0 || node.after.length > 0) {
      return fail(`the state ${node.key}`);
    }
    const eventTypes = new Set([...node.transitions.keys(), ...root.transitions.keys()]);
    const stepsOf = (eventType: string): readonly PodStep[] =>
      [...(node.transitions.get(eventType) ?? []), ...(root.transitions.get(eventType) ?? [])].map(toStep);
    return {
      entry: node.entry.map(toAction),
      always: (node.always ?? []).map(toStep),
      on: new Map([...eventTypes].map((eventType) => [eventType, stepsOf(eventType)])),
      isFinal: node.type === "final",
    };
  };

  const named = new Map<string, PodAction>();
  const { context } = machine.config;
  const initial = root.initial.target[0];
  if (typeof context !== "function" || initial === undefined) return fail("its beginning");
  const states = Object.values(root.states).map((node) => [toName(node), toState(node)] as const);
  return {
    initial: toName(initial),
    // The keys are those of the machine's states, all of them.
    states: Object.fromEntries(states) as PodTable["states"],
    // The machine's context is made of the input alone.
    toContext: (input) => context({ input } as Parameters<typeof context>[0]),
    action(name) {
      const known = named.get(name) ?? toAction(name);
      named.set(name, known);
      return known;
    },
  };
}

function readReference(
  reference: unknown,
  fail: (what: string) => never,
): { readonly type: string; readonly params: unknown } {
  if (typeof reference !== "object" || reference === null || !("type" in reference)) return fail("an action");
  const { type } = reference;
  return typeof type === "string"
    ? { type, params: "params" in reference ? reference.params : undefined }
    : fail("an action without a name");
}

/** XState marks its own actions by a type on their function, and keeps beside it what was written. */
function readImplementation(name: string, found: unknown, fail: (what: string) => never): Implementation {
  if (typeof found !== "function") return fail(`the action ${name}`);
  if (!("type" in found)) return { kind: "effect", exec: found as ExecutableActionObject["exec"] };
  const { assignment, collect } = found as { readonly assignment?: unknown; readonly collect?: unknown };
  if (found.type === "xstate.assign" && typeof assignment === "function") {
    return { kind: "assign", assign: assignment as Extract<Implementation, { kind: "assign" }>["assign"] };
  }
  if (found.type === "xstate.enqueueActions" && typeof collect === "function") {
    return { kind: "enqueue", collect: collect as Extract<Implementation, { kind: "enqueue" }>["collect"] };
  }
  return fail(`the action ${name}`);
}

// The key of one of the machine's states, which XState types as any text.
const toName = (node: AnyStateNode): PodState => node.key as PodState;
