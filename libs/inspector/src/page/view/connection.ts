// SPDX-License-Identifier: Apache-2.0
// The WebSocket to the program. It connects again by itself, and resumes after the last message that it got.

import { type PageMessage, parseMessage } from "../core/messages.ts";
import { advance, type ResumePosition, toDelayMs, toSocketAddress } from "../core/resume.ts";

export type ConnectionStatus = "connecting" | "live" | "waiting";

export interface ConnectionHandlers {
  onMessage(message: PageMessage): void;
  /** The page has all actors as they were after this event, and nothing from before. */
  onWelcome(position: ResumePosition): void;
  onStatus(status: ConnectionStatus): void;
}

export function openConnection({ onMessage, onWelcome, onStatus }: ConnectionHandlers): void {
  let position: ResumePosition | undefined;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;

  const connect = (): void => {
    clearTimeout(timer);
    onStatus(attempt === 0 ? "connecting" : "waiting");
    const opened = new WebSocket(toSocketAddress(location.origin, position));
    socket = opened;
    opened.addEventListener("message", ({ data }) => {
      if (socket !== opened) return;
      const message = parseMessage(String(data));
      if (message === undefined) return;
      if (message.kind === "hello") {
        attempt = 0;
        onStatus("live");
      }
      const before = position;
      position = advance(position, message);
      onMessage(message);
      const isFresh = message.kind === "hello" && message.actors === 0;
      if (position?.actorsLeft === 0 && (isFresh || (before?.actorsLeft ?? 0) > 0)) onWelcome(position);
    });
    opened.addEventListener("close", () => {
      if (socket !== opened) return;
      socket = undefined;
      timer = setTimeout(connect, toDelayMs(attempt++));
      onStatus("waiting");
    });
  };

  connect();
}
