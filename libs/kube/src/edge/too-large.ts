// SPDX-License-Identifier: Apache-2.0
// Logs objects that are too large to be read whole, once each.

import type { Logger } from "@rthooks/log";
import * as v from "valibot";

/** `reduced`: only the required members were read. `skipped`: only the name was. */
export type TooLarge = "reduced" | "skipped";

const MAX_NAMED = 1024;
const named = v.object({
  metadata: v.object({
    uid: v.nullish(v.string()),
    name: v.nullish(v.string()),
    namespace: v.nullish(v.string()),
  }),
});

/** `object`: the reduced object; undefined if not even its name was read. */
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
    if (outcome === "reduced") log.info("large API object: only the required fields were read", fields);
    else log.error("API object is too large; ignoring it", fields);
  };
}
