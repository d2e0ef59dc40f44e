// SPDX-License-Identifier: Apache-2.0
// What the names in a machine's table do when it runs as an actor: the implementations that setup() and provide() gave to
// the machine, checked once. Of XState's own actions the table logic runs assign and enqueueActions.

import type {
  AnyActorLogic,
  AnyEventObject,
  AnyStateMachine,
  ExecutableActionObject,
  MachineContext,
} from "xstate";
import type { TransitionArgs } from "../table/machine-table.ts";

type Args = TransitionArgs<MachineContext, AnyEventObject>;

export type ActorAction =
  | { readonly kind: "effect"; readonly exec: NonNullable<ExecutableActionObject["exec"]> }
  | { readonly kind: "assign"; assign(args: Args & { readonly spawn: unknown }): Partial<MachineContext> }
  | { readonly kind: "enqueue"; collect(args: Args & { readonly enqueue: unknown }): void };

export interface ActorImplementations {
  readonly actions: ReadonlyMap<string, ActorAction>;
  readonly guards: ReadonlyMap<string, (args: Args) => boolean>;
  /** In milliseconds. */
  readonly delays: ReadonlyMap<string, (args: Args) => number>;
  readonly actors: ReadonlyMap<string, AnyActorLogic>;
}

/** Throws on implementations that the table logic cannot run: other actions of XState's, guards made of guards. */
export function readImplementations(machine: AnyStateMachine): ActorImplementations {
  const { actions, guards, delays, actors } = machine.implementations;
  const fail = (what: string): never => {
    throw new Error(`${machine.id}: the table logic cannot run ${what}`);
  };
  const readAll = <T>(found: object, kind: string, read: (found: unknown) => T | undefined) =>
    new Map(Object.entries(found).map(([name, value]) => [name, read(value) ?? fail(`the ${kind} ${name}`)]));
  return {
    actions: readAll(actions, "action", readAction),
    guards: readAll(guards, "guard", readGuard),
    delays: readAll(delays, "delay", readDelay),
    actors: readAll(actors, "actor", readActor),
  };
}

/** XState marks its own actions by a type on their function, and keeps what was written beside it. */
function readAction(found: unknown): ActorAction | undefined {
  if (typeof found !== "function") return undefined;
  if (!("type" in found)) return { kind: "effect", exec: (args, params) => found(args, params) };
  if (found.type === "xstate.assign" && "assignment" in found) {
    const { assignment } = found;
    return typeof assignment === "function"
      ? { kind: "assign", assign: (args) => assignment(args) }
      : undefined;
  }
  if (found.type === "xstate.enqueueActions" && "collect" in found) {
    const { collect } = found;
    return typeof collect === "function" ? { kind: "enqueue", collect: (args) => collect(args) } : undefined;
  }
  return undefined;
}

const readGuard = (found: unknown): ((args: Args) => boolean) | undefined =>
  // A guard made of guards, as with and(), is a function with a `check`.
  typeof found === "function" && !("check" in found) ? (args) => found(args) === true : undefined;

function readDelay(found: unknown): ((args: Args) => number) | undefined {
  if (typeof found === "number") return () => found;
  return typeof found === "function" ? (args) => Number(found(args)) : undefined;
}

const readActor = (found: unknown): AnyActorLogic | undefined => (isActorLogic(found) ? found : undefined);

const isActorLogic = (found: unknown): found is AnyActorLogic =>
  typeof found === "object" && found !== null && "transition" in found && "getInitialSnapshot" in found;
