// SPDX-License-Identifier: Apache-2.0

const second = 1_000_000_000n;

/** The last one: most times are near each other, and a division of such a number takes long. */
let last = { seconds: 0n, nanos: 0n };

/** `nanos`: Unix time, not negative. */
export function nanosToTimestamp(nanos: bigint): { seconds: bigint; nanos: number } {
  let rest = Number(nanos - last.nanos);
  if (rest < 0 || rest >= 1_000_000_000) {
    const seconds = nanos / second;
    last = { seconds, nanos: seconds * second };
    rest = Number(nanos - last.nanos);
  }
  return { seconds: last.seconds, nanos: rest };
}
