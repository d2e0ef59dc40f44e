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
  /** `isComplete`: all that there was at the beginning has been told. */
  | { readonly kind: "bookmark"; readonly resourceVersion: string; readonly isComplete: boolean }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  /** What is no object, though it should be one. */
  | { readonly kind: "odd" };

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
    return { kind: "odd" };
  }
  const parsed = v.safeParse(line, json);
  if (!parsed.success) return { kind: "odd" };
  const { type, object } = parsed.output;
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const parsed = v.safeParse(named, object);
      if (!parsed.success) return { kind: "odd" };
      const { uid, resourceVersion } = parsed.output.metadata;
      const kind = type === "DELETED" ? "deleted" : "put";
      return { kind, uid, resourceVersion: resourceVersion ?? "", object };
    }
    case "BOOKMARK": {
      const mark = v.safeParse(bookmark, object);
      if (!mark.success) return { kind: "odd" };
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
      return { kind: "odd" };
  }
}
