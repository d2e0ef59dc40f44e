// SPDX-License-Identifier: Apache-2.0
// The position of a watch in the history of its objects (the resource version), and the effect of each event.

import { isOlder } from "./resource-version.ts";
import type { WatchEvent } from "./watch-event.ts";

export type ResourceChange<T> =
  /** The complete list: objects that are not in it do not exist. */
  | { readonly kind: "all"; readonly objects: readonly T[] }
  | { readonly kind: "put"; readonly object: T }
  | { readonly kind: "deleted"; readonly uid: string };

export interface WatchCursor<T> {
  /** The resource version from which a watch continues; empty if a list must come first. */
  version(): string;
  /** The next events are the initial list, which takes effect when it is complete. */
  beginList(): void;
  /** Whether no initial list is being received. */
  isComplete(): boolean;
  /** `read`: parses the event's object; undefined to ignore it. */
  take(event: WatchEvent, read: (object: unknown) => T | undefined): Meaning<T>;
  /** Continues from the version of a list request; empty to start with a list again. */
  goTo(version: string): void;
}

type Meaning<T> =
  /** The event was valid; with its change, if it makes one. */
  | { readonly kind: "progress"; readonly change: ResourceChange<T> | undefined }
  /** The event is not a valid object. */
  | { readonly kind: "invalid" }
  /** The watch has ended. */
  | { readonly kind: "end"; readonly status: number; readonly message: string };

export function createWatchCursor<T>(): WatchCursor<T> {
  let version = "";
  let collected: Map<string, T> | undefined;

  const progress = (change?: ResourceChange<T>): Meaning<T> => ({ kind: "progress", change });

  /** Moves to the version; returns the end of the watch if it is older than the current one. */
  const advance = (next: string): Meaning<T> | undefined => {
    if (next === "") return undefined;
    if (isOlder(next, version)) {
      // The storage was restored from a backup: the objects read before are of another history.
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
          // The objects of a list have the versions of their last changes, in any order.
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
        case "invalid":
          return { kind: "invalid" };
      }
    },
  };
}
