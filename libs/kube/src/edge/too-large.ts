// SPDX-License-Identifier: Apache-2.0
// Objects that are too large to be read whole are named, once each.

import type { Logger } from "@rthooks/log";
import * as v from "valibot";

/** `reduced`: what is needed of it was read. `skipped`: only its name was. */
export type TooLarge = "reduced" | "skipped";

const MAX_NAMED = 1024;
const named = v.object({
  metadata: v.object({
    uid: v.nullish(v.string()),
    name: v.nullish(v.string()),
    namespace: v.nullish(v.string()),
  }),
});

/** `object`: what is left of it; undefined where it could not even be named. */
export function createTooLargeLog(
  what: string,
  log: Logger,
): (object: unknown, outcome: TooLarge, bytes: number) => void {
  const seen = new Set<string>();
  return (object, outcome, bytes) => {
    const parsed = v.safeParse(named, object);
    const { uid, name, namespace } = parsed.success ? parsed.output.metadata : {};
    const key = `${outcome} ${uid ?? ""}`;
    if (seen.has(key)) return;
    if (seen.size >= MAX_NAMED) seen.clear();
    seen.add(key);
    const fields = { kind: what, namespace: namespace ?? "", name: name ?? "", uid: uid ?? "", bytes };
    if (outcome === "reduced")
      log.info("large object of the API server: only what is needed is read", fields);
    else log.error("object of the API server is too large and is skipped", fields);
  };
}
