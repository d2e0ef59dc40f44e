// SPDX-License-Identifier: Apache-2.0
// Bounds the failed containers that are kept for `tetragon status`: hostile calls must not fill the memory with them.

export interface FailedContainers {
  /** Discards the oldest failed containers while there are too many. */
  add(containerId: string): void;
  delete(containerId: string): void;
}

const MAX_FAILED = 1000;

export function createFailedContainers(discard: (containerId: string) => void): FailedContainers {
  const failed = new Set<string>();
  return {
    add(containerId) {
      failed.delete(containerId);
      failed.add(containerId);
      for (const oldest of failed) {
        if (failed.size <= MAX_FAILED) break;
        failed.delete(oldest);
        discard(oldest);
      }
    },
    delete: (containerId) => void failed.delete(containerId),
  };
}
