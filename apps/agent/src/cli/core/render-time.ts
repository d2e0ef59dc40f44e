// SPDX-License-Identifier: Apache-2.0

/** RFC 3339 in UTC, with this number of digits of the second's fraction. `nanos`: Unix time. */
export function renderTime(nanos: bigint, digits: 3 | 9): string {
  const seconds = nanos / 1_000_000_000n;
  const fraction = `${nanos % 1_000_000_000n}`.padStart(9, "0").slice(0, digits);
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}
