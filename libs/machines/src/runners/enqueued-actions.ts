// SPDX-License-Identifier: Apache-2.0
// What XState's `enqueueActions` hands to a machine: `enqueue`, with the kinds of it that the machines use. Enqueued actions
// run when all of them have been enqueued, as in XState.

import type { AnyActorRef, AnyEventObject, MachineContext } from "xstate";

export type EnqueuedAction =
  | { readonly kind: "action"; readonly type: string }
  | { readonly kind: "assign"; readonly change: Partial<MachineContext> }
  | { readonly kind: "send"; readonly to: AnyActorRef; readonly event: AnyEventObject }
  | { readonly kind: "stop"; readonly id: string };

export interface ActionQueue {
  /** Empties the queue; the result is passed to the function in `enqueueActions`. */
  begin(): unknown;
  /** What was enqueued since then. */
  end(): readonly EnqueuedAction[];
}

/** One for all actors of a machine: a function in `enqueueActions` runs to its end without another one between. */
export function createActionQueue(): ActionQueue {
  let queue: EnqueuedAction[] = [];
  const enqueue = (type: string): void => void queue.push({ kind: "action", type });
  Object.assign(enqueue, {
    assign: (change: Partial<MachineContext>) => void queue.push({ kind: "assign", change }),
    sendTo: (to: AnyActorRef, event: AnyEventObject) => void queue.push({ kind: "send", to, event }),
    stopChild: (id: string) => void queue.push({ kind: "stop", id }),
  });
  return {
    begin() {
      queue = [];
      return enqueue;
    },
    end: () => queue,
  };
}
