// SPDX-License-Identifier: Apache-2.0
// One line of a watch (apimachinery pkg/apis/meta/v1/watch.go).

import * as v from "valibot";

export type WatchEvent =
  | {
      readonly kind: "put" | "deleted";
      readonly uid: string;
      readonly resourceVersion: string;
      readonly object: unknown;
    }
  /** `isComplete`: the end of the initial list. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string; readonly isComplete: boolean }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** The line is not an event with a valid object. */
  | { readonly kind: "invalid" };

const line = v.object({ type: v.string(), object: v.unknown() });
const bookmark = v.object({
  metadata: v.object({
    resourceVersion: v.string(),
    annotations: v.nullish(v.record(v.string(), v.unknown())),
  }),
});
const named = v.object({
  metadata: v.object({ uid: v.pipe(v.string(), v.nonEmpty()), resourceVersion: v.nullish(v.string()) }),
});
const failure = v.object({ code: v.nullish(v.number()), message: v.nullish(v.string()) });

export function parseWatchEvent(text: string): WatchEvent {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "invalid" };
  }
  const parsed = v.safeParse(line, json);
  if (!parsed.success) return { kind: "invalid" };
  const { type, object } = parsed.output;
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const parsed = v.safeParse(named, object);
      if (!parsed.success) return { kind: "invalid" };
      const { uid, resourceVersion } = parsed.output.metadata;
      const kind = type === "DELETED" ? "deleted" : "put";
      return { kind, uid, resourceVersion: resourceVersion ?? "", object };
    }
    case "BOOKMARK": {
      const mark = v.safeParse(bookmark, object);
      if (!mark.success) return { kind: "invalid" };
      const { resourceVersion, annotations } = mark.output.metadata;
      const isComplete = annotations?.["k8s.io/initial-events-end"] === "true";
      return { kind: "bookmark", resourceVersion, isComplete };
    }
    case "ERROR": {
      const status = v.safeParse(failure, object);
      const { code, message } = status.success ? status.output : {};
      return { kind: "error", code: code ?? 0, message: message ?? "no reason given" };
    }
    default:
      return { kind: "invalid" };
  }
}
