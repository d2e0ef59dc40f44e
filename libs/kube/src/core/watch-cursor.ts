// SPDX-License-Identifier: Apache-2.0
// Where a watch is in the history of its objects, and what each event of it means there.

import { isOlder } from "./resource-version.ts";
import type { WatchEvent } from "./watch-event.ts";

export type ResourceChange<T> =
  /** These are all that there are. */
  | { readonly kind: "all"; readonly objects: readonly T[] }
  | { readonly kind: "put"; readonly object: T }
  | { readonly kind: "deleted"; readonly uid: string };

export interface WatchCursor<T> {
  /** What a watch goes on from; empty: a list has to come first. */
  version(): string;
  /** What comes now is a whole list, which is used when it is complete. */
  beginList(): void;
  /** No list is being received. */
  isComplete(): boolean;
  /** `read`: the object of the event; undefined where it is left out. */
  take(event: WatchEvent, read: (object: unknown) => T | undefined): Meaning<T>;
  /** A list came in another way. */
  goTo(version: string): void;
}

type Meaning<T> =
  /** The place in the history is known again, or still. */
  | { readonly kind: "progress"; readonly change: ResourceChange<T> | undefined }
  | { readonly kind: "odd" }
  /** The watch is over. */
  | { readonly kind: "end"; readonly status: number; readonly message: string };

export function createWatchCursor<T>(): WatchCursor<T> {
  let version = "";
  let collected: Map<string, T> | undefined;

  const progress = (change?: ResourceChange<T>): Meaning<T> => ({ kind: "progress", change });

  /** Undefined: the event is later than what was read before, as it has to be. */
  const advance = (next: string): Meaning<T> | undefined => {
    if (next === "") return undefined;
    if (isOlder(next, version)) {
      // The storage was restored: what was read before is of another history.
      const message = `resource versions went back from ${version} to ${next}`;
      version = "";
      return { kind: "end", status: 0, message };
    }
    version = next;
    return undefined;
  };

  return {
    version: () => version,
    isComplete: () => collected === undefined,
    goTo(next) {
      version = next;
      collected = undefined;
    },
    beginList() {
      version = "";
      collected = new Map();
    },
    take(event, read) {
      switch (event.kind) {
        case "put": {
          // Objects of a list have the versions at which they changed last, in any order.
          const end = collected === undefined ? advance(event.resourceVersion) : undefined;
          if (end !== undefined) return end;
          const object = read(event.object);
          if (object === undefined) return progress();
          if (collected === undefined) return progress({ kind: "put", object });
          collected.set(event.uid, object);
          return progress();
        }
        case "deleted":
          if (collected === undefined) {
            return advance(event.resourceVersion) ?? progress({ kind: "deleted", uid: event.uid });
          }
          collected.delete(event.uid);
          return progress();
        case "bookmark": {
          if (collected === undefined) return advance(event.resourceVersion) ?? progress();
          if (!event.isComplete) return progress();
          const objects = [...collected.values()];
          collected = undefined;
          version = event.resourceVersion;
          return progress({ kind: "all", objects });
        }
        case "error": {
          const message = `the API server ended the watch: ${event.code} ${event.message}`;
          return { kind: "end", status: event.code, message };
        }
        case "odd":
          return { kind: "odd" };
      }
    },
  };
}
