// SPDX-License-Identifier: Apache-2.0
// Flow control of one stream in one connection: RFC 9113 sections 5.2 and 6.9.
import { smaller } from "./bytes.ts";
import { DEFAULT_WINDOW_BYTES, ErrorCode, MAX_WINDOW_BYTES, type Violation } from "./frames.ts";

/** The bytes that the peer allows to send. */
export interface SendWindow {
  /** Never negative, though the stream's window may be: RFC 9113 section 6.9.2. */
  available(): number;
  consume(bytes: number): void;
  growConnection(increment: number): Violation | undefined;
  growStream(increment: number): Violation | undefined;
  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE, which moves the stream's window by the difference. */
  setInitial(bytes: number): Violation | undefined;
}

export function createSendWindow(): SendWindow {
  let initial = DEFAULT_WINDOW_BYTES;
  let connection = DEFAULT_WINDOW_BYTES;
  let stream = DEFAULT_WINDOW_BYTES;

  return {
    available() {
      return connection > 0 && stream > 0 ? smaller(connection, stream) : 0;
    },
    consume(bytes) {
      connection -= bytes;
      stream -= bytes;
    },
    growConnection(increment) {
      connection += increment;
      return checkGrowth(increment, connection);
    },
    growStream(increment) {
      stream += increment;
      return checkGrowth(increment, stream);
    },
    setInitial(bytes) {
      if (bytes > MAX_WINDOW_BYTES) {
        return overflow();
      }
      stream += bytes - initial;
      initial = bytes;
      return stream > MAX_WINDOW_BYTES ? overflow() : undefined;
    },
  };
}

/** The bytes that the peer may send. */
export interface ReceiveWindow {
  consume(bytes: number): Violation | undefined;
  /** The increment for WINDOW_UPDATE; zero until half of the window is used, so that updates stay rare. */
  takeIncrement(): number;
}

export function createReceiveWindow(): ReceiveWindow {
  let used = 0;
  return {
    consume(bytes) {
      used += bytes;
      return used > DEFAULT_WINDOW_BYTES
        ? { reason: "more data than the window allowed", code: ErrorCode.flowControlError }
        : undefined;
    },
    takeIncrement() {
      if (used <= DEFAULT_WINDOW_BYTES / 2) {
        return 0;
      }
      const increment = used;
      used = 0;
      return increment;
    },
  };
}

function checkGrowth(increment: number, window: number): Violation | undefined {
  if (increment === 0) {
    return { reason: "a window update of zero", code: ErrorCode.protocolError };
  }
  return window > MAX_WINDOW_BYTES ? overflow() : undefined;
}

function overflow(): Violation {
  return { reason: "a flow-control window above 2^31-1", code: ErrorCode.flowControlError };
}
