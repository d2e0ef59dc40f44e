// SPDX-License-Identifier: Apache-2.0
// The events from before the page was opened, part by part, the latest first.

import { type PageMessage, parseMessage } from "../core/messages.ts";

export interface WelcomePosition {
  readonly boot: string;
  /** The number of the last event that the page has. */
  readonly sequence: number;
}

const partSize = 1000;

/** `onPart` returns whether the page has room for an earlier part. The signal ends the loading. */
export async function loadHistory(
  { boot, sequence }: WelcomePosition,
  onPart: (messages: readonly PageMessage[]) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let before = sequence + 1;
  while (true) {
    const response = await fetch(`/api/history?before=${before}&limit=${partSize}&definitions=none`, {
      signal,
    });
    if (!response.ok) return;
    const lines = (await response.text()).split("\n");
    const [head, ...messages] = lines.flatMap((line) => parseMessage(line) ?? []);
    if (signal.aborted || head?.kind !== "history" || head.boot !== boot) return;
    if (!onPart(messages) || head.first <= head.oldest) return;
    before = head.first;
  }
}
