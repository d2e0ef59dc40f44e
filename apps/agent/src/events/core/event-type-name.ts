// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { eventTypes } from "./event-subject.ts";

/** Types of Tetragon that no event here has: filters may name them. */
const others = {
  ...{
    UNDEF: 0,
    PROCESS_LOADER: 11,
    PROCESS_UPROBE: 12,
    PROCESS_THROTTLE: 27,
    PROCESS_USDT: 29,
    TEST: 40000,
  },
};
const numbers: ReadonlyMap<string, number> = new Map(Object.entries({ ...eventTypes, ...others }));

/** The number of a name such as "PROCESS_EXEC", or the number itself as text. */
export function parseEventType(text: string): Result<number, string> {
  const number = numbers.get(text.toUpperCase()) ?? (/^\d{1,5}$/.test(text) ? Number(text) : undefined);
  if (number !== undefined) return ok(number);
  return err(`${JSON.stringify(text)} is not a type of events: use ${Object.keys(eventTypes).join(", ")}`);
}
