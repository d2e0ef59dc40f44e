// SPDX-License-Identifier: Apache-2.0
// How the page connects again: with the number of the last message that it has, so that it gets what it missed.

import type { PageMessage } from "./messages.ts";

export interface ResumePosition {
  readonly boot: string;
  readonly sequence: number;
  /** Messages with actors that have not come yet. A connection that ends before them starts from the beginning. */
  readonly actorsLeft: number;
}

/** The position after one more message. */
export function advance(
  position: ResumePosition | undefined,
  message: PageMessage,
): ResumePosition | undefined {
  const { kind, sequence } = message;
  if (kind === "hello") {
    const isFresh = message.actors !== undefined || position === undefined || position.boot !== message.boot;
    return isFresh ? { boot: message.boot, sequence, actorsLeft: message.actors ?? 0 } : position;
  }
  if (position === undefined) return undefined;
  if (position.actorsLeft > 0) return { ...position, actorsLeft: position.actorsLeft - 1 };
  return { ...position, sequence };
}

/** `origin`: "http://127.0.0.1:9101". */
export function toSocketAddress(origin: string, position: ResumePosition | undefined): string {
  const known = position === undefined || position.actorsLeft > 0 ? undefined : position;
  const query = new URLSearchParams({
    after: `${known?.sequence ?? 0}`,
    boot: known?.boot ?? "",
    definitions: "none",
  });
  return `${origin.replace(/^http/, "ws")}/?${query}`;
}

const firstDelayMs = 250;
const lastDelayMs = 8000;

/** `attempt`: 0 for the first one after a connection. */
export const toDelayMs = (attempt: number): number =>
  Math.min(lastDelayMs, firstDelayMs * 2 ** Math.min(attempt, 10));
