// SPDX-License-Identifier: Apache-2.0
// A connection may be dead although it looks alive: a partition or a lost NAT entry sends nothing that would say so.

import type { Result } from "@rthooks/result";
import type { ApiError } from "./api-error.ts";

export interface SilenceOptions {
  /** Silence that long starts a probe. */
  readonly probeAfterMs: number;
  /** Silence that long is the end, whatever the probe says: the server sends a bookmark about once a minute. */
  readonly idleMs: number;
  /** The same while the answer has not begun. */
  readonly beginMs: number;
  probe(): Promise<Result<void, ApiError>>;
  /** `message`: one line for people. Called once. */
  onDead(message: string): void;
}

export interface SilenceGuard {
  heard(): void;
  /** Probes now; resolves when it is known whether the server answers. */
  check(): Promise<void>;
  stop(): void;
}

export function guardSilence(options: SilenceOptions): SilenceGuard {
  const { probeAfterMs, probe, onDead } = options;
  let longestMs = options.beginMs;
  let hasBegun = false;
  let isOver = false;
  let heardMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silentMs = (): number => performance.now() - heardMs;
  const describe = (): string => `nothing came for ${Math.round(silentMs() / 1000)} s`;

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
    if (!probed.ok && heardMs < beganMs) die(`${describe()}, and ${probed.error.message}`);
    else wait(probeAfterMs);
  };
  const tick = (): void => {
    if (silentMs() >= longestMs) die(describe());
    else if (silentMs() >= probeAfterMs) void check();
    else wait(probeAfterMs - silentMs());
  };
  wait(probeAfterMs);

  return {
    heard() {
      heardMs = performance.now();
      if (hasBegun || isOver) return;
      hasBegun = true;
      longestMs = options.idleMs;
      wait(probeAfterMs);
    },
    check,
    stop,
  };
}
