// SPDX-License-Identifier: Apache-2.0

import { isJsonObject } from "@rthooks/result";

/**
 * The container that an actor is about, by its machine's context; empty for a pod or a session. Contexts come from outside:
 * any member may be missing.
 */
export function findContainerId(context: unknown): string {
  if (!isJsonObject(context)) return "";
  const places = [context["report"], context["request"], context];
  for (const place of places) {
    const id = isJsonObject(place) ? place["containerId"] : undefined;
    if (typeof id === "string" && id !== "") return id;
  }
  return "";
}
