// SPDX-License-Identifier: Apache-2.0

export interface RecentIds {
  /** True where it was not among them. */
  add(id: string): boolean;
  has(id: string): boolean;
  delete(id: string): void;
}

/** As many as a node has containers in some hours. */
const maxIds = 4096;

/** The last ones that were added, so that a list without end takes no memory without end. */
export function createRecentIds(): RecentIds {
  const ids = new Set<string>();
  return {
    add(id) {
      const isNew = !ids.delete(id);
      ids.add(id);
      for (const oldest of ids) {
        if (ids.size <= maxIds) break;
        ids.delete(oldest);
      }
      return isNew;
    },
    has: (id) => ids.has(id),
    delete: (id) => void ids.delete(id),
  };
}
