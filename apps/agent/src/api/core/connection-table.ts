// SPDX-License-Identifier: Apache-2.0
// Which connection has to go so that all others keep their room: pure.

import type { Eviction } from "../../base/core/agent-metrics.ts";

export interface ConnectionBounds {
  readonly maxConnections: number;
  /** Bytes of requests and answers under way: received or written, and their calls not ended. */
  readonly maxConnectionBytes: number;
  /** Of all connections together. */
  readonly maxTotalBytes: number;
}

const MiB = 1024 * 1024;
/** The other descriptors are for maps, watches and files. */
const shareOfDescriptors = 1 / 4;

/** `descriptors`: how many the process may have open. */
export const toConnectionBounds = (descriptors: number): ConnectionBounds => ({
  maxConnections: Math.max(8, Math.min(1024, Math.floor(descriptors * shareOfDescriptors))),
  maxConnectionBytes: 16 * MiB,
  maxTotalBytes: 64 * MiB,
});

export interface Evicted<T> {
  readonly connection: T;
  readonly why: Eviction;
}

export interface ConnectionTable<T> {
  /** Gives the connection that has to end for this one, which may be this one itself. */
  open(connection: T): Evicted<T> | undefined;
  close(connection: T): void;
  /** A call has begun or ended. */
  touch(connection: T): void;
  /** `change`: calls whose request is complete and which have no answer yet, 1 or -1. */
  countCall(connection: T, change: number): void;
  /** Likewise gives the connection that has to end. */
  countBytes(connection: T, change: number): Evicted<T> | undefined;
  size(): number;
}

interface Entry {
  calls: number;
  bytes: number;
}

export function createConnectionTable<T>(bounds: ConnectionBounds): ConnectionTable<T> {
  /** The one that was used last is the last. */
  const entries = new Map<T, Entry>();
  let total = 0;

  /** The longest unused one without a call that is being answered; the newcomer where all have one. */
  const findIdle = (newcomer: T): T => {
    for (const [connection, { calls }] of entries) if (calls === 0) return connection;
    return newcomer;
  };

  const findLargest = (first: T): T => {
    let largest = first;
    let most = 0;
    for (const [connection, { bytes }] of entries) {
      if (bytes <= most) continue;
      most = bytes;
      largest = connection;
    }
    return largest;
  };

  const close = (connection: T): void => {
    total -= entries.get(connection)?.bytes ?? 0;
    entries.delete(connection);
  };

  const evict = (connection: T, why: Eviction): Evicted<T> => {
    close(connection);
    return { connection, why };
  };

  return {
    open(connection) {
      entries.set(connection, { calls: 0, bytes: 0 });
      return entries.size > bounds.maxConnections
        ? evict(findIdle(connection), "too many connections")
        : undefined;
    },
    close,
    touch(connection) {
      const entry = entries.get(connection);
      if (entry === undefined) return;
      entries.delete(connection);
      entries.set(connection, entry);
    },
    countCall(connection, change) {
      const entry = entries.get(connection);
      if (entry !== undefined) entry.calls += change;
    },
    countBytes(connection, change) {
      const entry = entries.get(connection);
      if (entry === undefined) return undefined;
      entry.bytes += change;
      total += change;
      if (entry.bytes > bounds.maxConnectionBytes) return evict(connection, "too many bytes under way");
      if (total > bounds.maxTotalBytes) return evict(findLargest(connection), "too many bytes under way");
      return undefined;
    },
    size: () => entries.size,
  };
}
