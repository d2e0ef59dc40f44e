// SPDX-License-Identifier: Apache-2.0
// Wall-clock time with a resolution below a millisecond: the monotonic clock, adjusted when the wall clock is set.

/** Tolerated difference of the two clocks: the resolution of Date.now(), with a margin. */
const maxDriftMs = 2;

let offsetMs = performance.timeOrigin;

export function nowMs(): number {
  const wallMs = Date.now();
  const ms = performance.now() + offsetMs;
  if (Math.abs(ms - wallMs) <= maxDriftMs) return ms;
  offsetMs = wallMs - performance.now();
  return wallMs;
}

export function nowNanos(): bigint {
  const ms = nowMs();
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1_000_000));
}

let renderedSecond = -1;
let renderedPrefix = "";

/** RFC 3339 in UTC with microseconds. */
export function renderNow(): string {
  const ms = nowMs();
  const second = Math.floor(ms / 1000);
  if (second !== renderedSecond) {
    renderedSecond = second;
    renderedPrefix = new Date(second * 1000).toISOString().slice(0, 19);
  }
  const micros = Math.floor((ms - second * 1000) * 1000);
  return `${renderedPrefix}.${String(micros).padStart(6, "0")}Z`;
}
