// SPDX-License-Identifier: Apache-2.0

const second = 1_000_000_000n;

/** `nanos`: Unix time, not negative. */
export const nanosToTimestamp = (nanos: bigint): { seconds: bigint; nanos: number } => ({
  seconds: nanos / second,
  nanos: Number(nanos % second),
});
