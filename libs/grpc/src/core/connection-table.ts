// SPDX-License-Identifier: Apache-2.0
// Decides which connection to close when a bound is exceeded: pure.

/** Why the server closes a client's connection. */
export type Eviction = "too many connections" | "too many bytes under way";

export interface ConnectionBounds {
  readonly maxConnections: number;
  /** Bytes in flight: of requests and answers whose calls have not ended. */
  readonly maxConnectionBytes: number;
  /** Of all connections together. */
  readonly maxTotalBytes: number;
}

const MiB = 1024 * 1024;
/** Connections may use a quarter of the descriptors; the rest is for maps, watches and files. */
const shareOfDescriptors = 1 / 4;

/** `descriptors`: the limit of open descriptors of the process. */
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
  /** Returns the connection to close so that this one fits; it may be this one. */
  open(connection: T): Evicted<T> | undefined;
  close(connection: T): void;
  /** A call began or ended. */
  touch(connection: T): void;
  /** `change` (1 or -1) counts calls with a complete request and no answer yet. */
  countCall(connection: T, change: number): void;
  /** Returns the connection to close, if a bound is exceeded. */
  countBytes(connection: T, change: number): Evicted<T> | undefined;
  size(): number;
}

interface Entry {
  calls: number;
  bytes: number;
}

export function createConnectionTable<T>(bounds: ConnectionBounds): ConnectionTable<T> {
  /** Ordered by last use. */
  const entries = new Map<T, Entry>();
  let total = 0;

  /** The least recently used connection without a call in progress; the new one if all have calls. */
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
