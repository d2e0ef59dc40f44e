// SPDX-License-Identifier: Apache-2.0
// The WebSocket to the program. It connects again by itself, and resumes after the last message that it got.

import { type PageMessage, parseMessage } from "../core/messages.ts";
import { advance, type ResumePosition, toDelayMs, toSocketAddress } from "../core/resume.ts";

export type ConnectionStatus = "connecting" | "live" | "waiting" | "paused";

export interface ConnectionHandlers {
  onMessage(message: PageMessage): void;
  onStatus(status: ConnectionStatus): void;
}

export interface Connection {
  /** The program keeps the events meanwhile. */
  pause(): void;
  resume(): void;
}

export function openConnection({ onMessage, onStatus }: ConnectionHandlers): Connection {
  let position: ResumePosition | undefined;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let isPaused = false;

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
      position = advance(position, message);
      onMessage(message);
    });
    opened.addEventListener("close", () => {
      if (socket !== opened) return;
      socket = undefined;
      if (isPaused) return;
      timer = setTimeout(connect, toDelayMs(attempt++));
      onStatus("waiting");
    });
  };

  connect();
  return {
    pause() {
      isPaused = true;
      clearTimeout(timer);
      const open = socket;
      socket = undefined;
      open?.close();
      onStatus("paused");
    },
    resume() {
      isPaused = false;
      attempt = 0;
      connect();
    },
  };
}
