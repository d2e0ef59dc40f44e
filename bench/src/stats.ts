// SPDX-License-Identifier: Apache-2.0

/** The value below which the share `q` of the samples lies; nearest rank. */
export function findQuantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

export const findMedian = (samples: readonly number[]): number => findQuantile(samples, 0.5);
