// SPDX-License-Identifier: Apache-2.0

import type { Action } from "../schema/action.ts";
import type { KernelRule } from "./kernel-rule.ts";

const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["s", 1],
  ["m", 60],
  ["h", 3_600],
]);

/** The reference has 32 bits for milliseconds. */
const maxSeconds = 4_294_967;

/** "5", "5s", "5m", "5h". Undefined: no limit. */
export function parseRateLimit(
  text: string | undefined,
  scope: Action["rateLimitScope"],
): KernelRule["rateLimit"] {
  const [, number = "0", unit = ""] = /^(\d+)([smh]?)$/i.exec(text ?? "") ?? [];
  const seconds = Math.min(Number(number) * (units.get(unit.toLowerCase()) ?? 1), maxSeconds);
  return seconds === 0 ? undefined : { seconds, scope: scope ?? "thread" };
}
