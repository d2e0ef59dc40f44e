// SPDX-License-Identifier: Apache-2.0
// What the receiver of @statelyai/inspect, as npm has it, gets from a built program with --inspect-address.
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import type { RunningProcess } from "./process.ts";
import { waitFor } from "./wait.ts";

/** "host:port" of the inspector, which the program's log names; undefined before. */
export const findInspector = (program: RunningProcess): string | undefined =>
  /inspector listens.*?address[="":]*([\d.]+:\d+)/.exec(program.stderr())?.[1];

/** The list grows. */
export async function receive(program: RunningProcess): Promise<readonly StatelyInspectionEvent[]> {
  const address = await waitFor("the address of the inspector", () => findInspector(program));
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://${address}` }).subscribe((event) => received.push(event));
  return received;
}

/** The actors of this name, in the order of their messages. */
export const listActors = (received: readonly StatelyInspectionEvent[], name: string) =>
  received.flatMap((event) => (event.type === "@xstate.actor" && event.name === name ? [event] : []));

/** The states through which the first actor of this name went. */
export function listStates(received: readonly StatelyInspectionEvent[], name: string): readonly unknown[] {
  const [actor] = listActors(received, name);
  const snapshots = received.filter(
    (event) => event.type === "@xstate.snapshot" && event.sessionId === actor?.sessionId,
  );
  return snapshots.map((event) =>
    event.type === "@xstate.snapshot" ? Reflect.get(event.snapshot, "value") : "",
  );
}
