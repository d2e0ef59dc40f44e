// SPDX-License-Identifier: Apache-2.0
import type { StatelyInspectionEvent } from "@statelyai/inspect";

/** The states through which the actors of this name went. */
export function listStates(received: readonly StatelyInspectionEvent[], name: string): readonly unknown[] {
  const actors = received.filter((event) => event.type === "@xstate.actor" && event.name === name);
  const sessions = new Set(actors.map(({ sessionId }) => sessionId));
  return received.flatMap((event) =>
    event.type === "@xstate.snapshot" && sessions.has(event.sessionId)
      ? [Reflect.get(event.snapshot, "value")]
      : [],
  );
}
