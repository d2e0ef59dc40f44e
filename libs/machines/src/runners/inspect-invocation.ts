// SPDX-License-Identifier: Apache-2.0
// Inspection events of a single invocation, as XState makes them for an actor. Only an inspected invocation calls this.

import type { AnyEventObject, InspectionEvent, Snapshot, StateValue } from "xstate";
import { createInspectedRef, type InspectOptions } from "../inspection/inspection.ts";
import type { MachineTable } from "../table/machine-table.ts";

type InvocationSnapshot = Snapshot<undefined> & {
  readonly state: string;
  readonly value: StateValue;
  readonly context: unknown;
};

export interface InspectedInvocation {
  /** Before a step. */
  received(event: AnyEventObject): void;
  /** After it, with the effects that it asks for. */
  stepped(event: AnyEventObject, effects: readonly string[]): void;
}

export function inspectInvocation(
  table: MachineTable,
  { id, inspect }: InspectOptions,
  read: () => { readonly state: string; readonly context: unknown },
): InspectedInvocation {
  const getSnapshot = (): InvocationSnapshot => {
    const { state, context } = read();
    const { value = "", final = false } = table.states[state] ?? {};
    return { status: final ? "done" : "active", output: undefined, error: undefined, state, value, context };
  };
  const actorRef = createInspectedRef({ id, sessionId: id, machine: table.id, getSnapshot });
  const report = (event: InspectionEvent): void => inspect(event);
  const about = { rootId: id, actorRef };
  report({ ...about, type: "@xstate.actor" });
  return {
    received: (event) => report({ ...about, type: "@xstate.event", sourceRef: undefined, event }),
    stepped(event, effects) {
      for (const type of effects) {
        report({ ...about, type: "@xstate.action", action: { type, params: undefined } });
      }
      report({ ...about, type: "@xstate.snapshot", event, snapshot: getSnapshot() });
    },
  };
}
