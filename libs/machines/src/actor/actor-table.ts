// SPDX-License-Identifier: Apache-2.0
// A flat machine as a table: what is done on each event in each state, with little left to work out. Its actions are those
// of XState that the machines here use (assign, enqueueActions) and effects; anything else is refused when the table is
// made.

import type {
  AnyEventObject,
  AnyStateMachine,
  AnyStateNode,
  ExecutableActionObject,
  MachineContext,
} from "xstate";

/** As XState types them for an effect of any machine. */
export type EffectArgs = ExecutableActionObject["info"];

interface StepArgs {
  readonly context: MachineContext;
  readonly event: AnyEventObject;
}

export type Implementation =
  | { readonly kind: "effect"; readonly exec: ExecutableActionObject["exec"] }
  | { readonly kind: "assign"; assign(args: unknown, params: unknown): Partial<MachineContext> }
  | { readonly kind: "enqueue"; collect(args: unknown, params: unknown): void };

export interface TableAction {
  readonly type: string;
  readonly implementation: Implementation;
  /** A function of context and event, or what it would give. */
  readonly params: unknown;
}

export interface TableStep {
  guard(args: StepArgs): boolean;
  readonly actions: readonly TableAction[];
  /** Undefined: the state is not left. */
  readonly target: string | undefined;
}

interface TableTimer {
  /** Names the timer, and is the event that it sends. */
  readonly type: string;
  findDelayMs(args: EffectArgs): number;
}

export interface TableState {
  readonly entry: readonly TableAction[];
  readonly timers: readonly TableTimer[];
  readonly always: readonly TableStep[];
  /** In the order in which they are tried, like those for any other event. */
  readonly on: ReadonlyMap<string, readonly TableStep[]>;
  readonly onOther: readonly TableStep[];
  readonly isFinal: boolean;
}

export interface ActorTable {
  readonly initial: string;
  readonly states: ReadonlyMap<string, TableState>;
  toContext(input: unknown): MachineContext;
  /** By its name, without parameters. */
  action(name: string): TableAction;
}

type Transition = NonNullable<AnyStateNode["always"]>[number];

const anyEvent = "*";

/** Throws on what the table cannot say: states within states, exit actions, several targets, other actions of XState's. */
export function readActorTable(machine: AnyStateMachine): ActorTable {
  const { root } = machine;
  const { actions, guards, delays } = machine.implementations;
  const fail = (what: string): never => {
    throw new Error(`${machine.id}: ${what} is nothing that a table can say`);
  };

  const toAction = (reference: unknown): TableAction => {
    const { type, params } = readReference(reference, fail);
    return { type, params, implementation: readImplementation(type, actions[type], fail) };
  };

  const toGuard = (guard: unknown): TableStep["guard"] => {
    if (guard === undefined) return () => true;
    const found: unknown = typeof guard === "string" ? guards[guard] : undefined;
    if (typeof found !== "function") return fail(`the guard ${JSON.stringify(guard)}`);
    return (args) => found(args, undefined) === true;
  };

  const toStep = ({ source, guard, actions: references, target, reenter }: Transition): TableStep => {
    const [state, ...others] = target ?? [];
    if (others.length > 0 || (state === source && !reenter)) {
      return fail("a transition with several targets, or into its own state without entering it");
    }
    return { guard: toGuard(guard), actions: references.map(toAction), target: state?.key };
  };

  const stepsOf = (node: AnyStateNode, eventType: string): readonly TableStep[] => {
    const exact = eventType === anyEvent ? [] : (node.transitions.get(eventType) ?? []);
    return [...exact, ...(node.transitions.get(anyEvent) ?? [])].map(toStep);
  };

  const toTimer = ({
    eventType,
    delay,
  }: {
    readonly eventType: string;
    readonly delay: unknown;
  }): TableTimer => {
    const provided: unknown = delays[String(delay)];
    if (typeof provided === "number") return { type: eventType, findDelayMs: () => provided };
    if (typeof provided !== "function") return fail(`the delay ${String(delay)}`);
    return { type: eventType, findDelayMs: (args) => Number(provided(args, undefined)) };
  };

  const toState = (node: AnyStateNode): TableState => {
    // XState's own actions, which start and stop a state's timers, are the only functions among the names.
    const [entry = [], exit = []] = [node.entry, node.exit].map((all) =>
      all.filter((name: unknown) => typeof name !== "function"),
    );
    if ((node.type !== "atomic" && node.type !== "final") || exit.length > 0)
      return fail(`the state ${node.key}`);
    const eventTypes = new Set([...node.transitions.keys(), ...root.transitions.keys()]);
    const steps = (eventType: string) => [...stepsOf(node, eventType), ...stepsOf(root, eventType)];
    return {
      entry: entry.map(toAction),
      timers: node.after.map(toTimer),
      always: (node.always ?? []).map(toStep),
      on: new Map([...eventTypes].map((eventType) => [eventType, steps(eventType)])),
      onOther: steps(anyEvent),
      isFinal: node.type === "final",
    };
  };

  const ofRoot = [...root.entry, ...root.exit, ...root.after, ...(root.always ?? [])];
  const { context } = machine.config;
  const initial = root.initial.target[0];
  if (ofRoot.length > 0 || typeof context !== "function" || initial === undefined)
    return fail("its beginning");
  const named = new Map<string, TableAction>();
  return {
    initial: initial.key,
    states: new Map(Object.values(root.states).map((node) => [node.key, toState(node)])),
    // The machines' contexts are made of the input alone.
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
  if (typeof reference === "string") return { type: reference, params: undefined };
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
