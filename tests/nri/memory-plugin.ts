// SPDX-License-Identifier: Apache-2.0
// The NRI library as a plugin of the runtime that the tests play, over a stream in memory.
import {
  type NriConnection,
  type NriEvent,
  type NriHandlers,
  type NriInventory,
  openNriConnection,
  toEventMask,
} from "@rthooks/nri";
import type { NriRuntimeOptions, RuntimeSide } from "../harness/nri-runtime.ts";
import { openRuntimeSide } from "../harness/nri-runtime.ts";

export const ok = <T>(value: T) => ({ ok: true, value }) as const;
export const fail = (code: number, message: string) => ({ ok: false, error: { code, message } }) as const;

export const allEvents = toEventMask([
  "RunPodSandbox",
  "StopPodSandbox",
  "RemovePodSandbox",
  "CreateContainer",
  "PostCreateContainer",
  "StartContainer",
  "PostStartContainer",
  "UpdateContainer",
  "PostUpdateContainer",
  "StopContainer",
  "RemoveContainer",
]);

export interface MemoryPlugin {
  readonly runtimeSide: RuntimeSide;
  readonly connection: NriConnection;
  readonly events: readonly NriEvent[];
  inventory(): NriInventory | undefined;
  closedBecause(): string | undefined;
}

/** Bytes pass in order and later, as over a socket. */
export function startMemoryPlugin(
  options: NriRuntimeOptions,
  handlers: Partial<NriHandlers> = {},
  cut: (bytes: Uint8Array) => readonly Uint8Array[] = (bytes) => [bytes],
): MemoryPlugin {
  const events: NriEvent[] = [];
  let inventory: NriInventory | undefined;
  let closedBecause: string | undefined;
  const runtimeSide: RuntimeSide = openRuntimeSide(
    {
      send: (bytes) =>
        queueMicrotask(() => {
          // A copy whose bytes are wiped afterwards: nobody may keep what it was lent.
          for (const piece of cut(bytes)) {
            const lent = new Uint8Array(piece);
            connection.receive(lent);
            lent.fill(0xff);
          }
        }),
      close: () => queueMicrotask(() => connection.close("the runtime closed the connection")),
    },
    options,
  );
  const connection: NriConnection = openNriConnection(
    {
      send: (bytes) =>
        queueMicrotask(() => cut(bytes).forEach((piece) => void runtimeSide.peer.receive(piece))),
      close: () => queueMicrotask(() => runtimeSide.peer.close("the plugin closed the connection")),
    },
    {
      configure: handlers.configure ?? (() => ok(allEvents)),
      synchronize(whole, call) {
        inventory = whole;
        return handlers.synchronize?.(whole, call) ?? ok(undefined);
      },
      event(event, call) {
        events.push(event);
        return handlers.event?.(event, call) ?? ok(undefined);
      },
      closed: (reason) => {
        closedBecause = reason;
      },
    },
    () => performance.now(),
  );
  return { runtimeSide, connection, events, inventory: () => inventory, closedBecause: () => closedBecause };
}

export async function startReadyPlugin(...args: Parameters<typeof startMemoryPlugin>): Promise<MemoryPlugin> {
  const plugin = startMemoryPlugin(...args);
  const registered = await plugin.connection.register("tetragon", "10");
  if (!registered.ok) throw new Error(registered.error.message);
  const ready = await plugin.runtimeSide.ready;
  if (ready !== "ready") throw new Error(ready.failure);
  return plugin;
}
