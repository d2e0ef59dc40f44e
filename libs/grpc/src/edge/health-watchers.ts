// SPDX-License-Identifier: Apache-2.0
// The clients of Watch, each with the status that it has.

import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@rthooks/proto/health";

/** Whether each service serves, by its name; "" stands for the program as a whole. */
export type ServingStates = ReadonlyMap<string, boolean>;

export type WatchCall = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

export interface HealthWatchers {
  watch(call: WatchCall): Promise<void>;
  /** Examines the health now, and sends changes. */
  update(): Promise<void>;
  close(): void;
}

/** `check`: undefined where the health cannot be examined. It is called at the interval while there are clients. */
export function createHealthWatchers(
  check: () => Promise<ServingStates | undefined>,
  intervalMs: number,
): HealthWatchers {
  const watchers = new Map<WatchCall, ServingStatus>();
  let timer: ReturnType<typeof setInterval> | undefined;

  const send = (call: WatchCall, states: ServingStates): void => {
    const isServing = states.get(call.request.service);
    const now = isServing === undefined ? ServingStatus.SERVICE_UNKNOWN : toStatus(isServing);
    if (watchers.get(call) === now) return;
    watchers.set(call, now);
    call.write({ status: now });
  };

  const update = async (): Promise<void> => {
    const states = await check();
    if (states !== undefined) for (const call of watchers.keys()) send(call, states);
  };

  const close = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    async watch(call) {
      call.on("cancelled", () => {
        watchers.delete(call);
        if (watchers.size === 0) close();
      });
      const states = await check();
      if (call.cancelled) return;
      if (states === undefined) watchers.set(call, ServingStatus.UNKNOWN);
      else send(call, states);
      timer ??= setInterval(() => void update(), intervalMs);
    },
    update,
    close,
  };
}

export const toStatus = (isServing: boolean): ServingStatus =>
  isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
