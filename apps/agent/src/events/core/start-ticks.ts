// SPDX-License-Identifier: Apache-2.0
// Start times of processes in /proc are in ticks, of which there are 100 in a second (USER_HZ).

export const TICK_NS = 10_000_000n;

/** Of start times, of which at least one comes from /proc. */
export const isSameTick = (one: bigint, other: bigint): boolean => one / TICK_NS === other / TICK_NS;
