// SPDX-License-Identifier: Apache-2.0
// Detects a dead connection of a watch: after a network partition or a lost NAT entry, the kernel reports no error.

import type { Result } from "@rthooks/result";
import type { ApiError } from "./api-error.ts";

export interface SilenceOptions {
  /** Time without bytes, on this watch and on all connections of the process, after which the server is probed. */
  readonly probeAfterMs: number;
  /** Time without bytes on all connections of the process. */
  processSilenceMs(): number;
  /** Time without bytes after which the connection counts as dead, also if probes succeed: bookmarks come every minute. */
  readonly idleMs: number;
  /** The same limit before the response has begun. */
  readonly beginMs: number;
  probe(): Promise<Result<void, ApiError>>;
  /** `message`: one line. Called once. */
  onDead(message: string): void;
}

export interface SilenceGuard {
  /** Bytes have arrived. */
  received(): void;
  /** Probes now; resolves after the probe. */
  check(): Promise<void>;
  stop(): void;
}

export function guardSilence(options: SilenceOptions): SilenceGuard {
  const { probeAfterMs, probe, onDead } = options;
  let longestMs = options.beginMs;
  let hasBegun = false;
  let isOver = false;
  let receivedMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silentMs = (): number => performance.now() - receivedMs;
  const describe = (): string => `no bytes for ${Math.round(silentMs() / 1000)} s`;

  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  const die = (message: string): void => {
    stop();
    onDead(message);
  };
  const wait = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(tick, Math.min(ms, Math.max(0, longestMs - silentMs())));
  };
  const check = async (): Promise<void> => {
    const beganMs = performance.now();
    const probed = await probe();
    if (isOver) return;
    if (!probed.ok && receivedMs < beganMs) die(`${describe()}, and ${probed.error.message}`);
    else wait(probeAfterMs);
  };
  const tick = (): void => {
    const bothMs = Math.min(silentMs(), options.processSilenceMs());
    if (silentMs() >= longestMs) die(describe());
    else if (bothMs >= probeAfterMs) void check();
    else wait(probeAfterMs - bothMs);
  };
  wait(probeAfterMs);

  return {
    received() {
      receivedMs = performance.now();
      if (hasBegun || isOver) return;
      hasBegun = true;
      longestMs = options.idleMs;
      wait(probeAfterMs);
    },
    check,
    stop,
  };
}
