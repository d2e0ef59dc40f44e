// SPDX-License-Identifier: Apache-2.0
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import type { RunningProcess } from "../harness/process.ts";

/** What the receiver of @statelyai/inspect, as npm has it, gets from the program's inspector. The list grows. */
export async function receive(program: RunningProcess): Promise<readonly StatelyInspectionEvent[]> {
  const address = await findInspectorAddress(program);
  const received: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `ws://${address}` }).subscribe((event) => received.push(event));
  return received;
}

/** The actors of this name, in the order of their messages. */
export const listActors = (received: readonly StatelyInspectionEvent[], name: string) =>
  received.flatMap((event) => (event.type === "@xstate.actor" && event.name === name ? [event] : []));
