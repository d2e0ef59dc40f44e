// SPDX-License-Identifier: Apache-2.0
// SETTINGS: RFC 9113 section 6.5.
import { readUint32 } from "./bytes.ts";
import type { SendWindow } from "./flow-control.ts";
import {
  ErrorCode,
  encodeFrame,
  Flag,
  FrameType,
  MAX_FRAME_BYTES,
  Setting,
  type Violation,
} from "./frames.ts";

/** The default of SETTINGS_HEADER_TABLE_SIZE, which this client keeps. */
export const HEADER_TABLE_BYTES = 4096;

const MAX_MAX_FRAME_BYTES = 0xff_ffff;

const ENTRY_BYTES = 6;

export function encodeSettingsAck(): Uint8Array {
  return encodeFrame(FrameType.settings, Flag.ack, 0, new Uint8Array(0));
}

/**
 * The peer's settings. Only the initial window matters to this client: its frames never exceed the size that every peer must
 * accept, its headers use no dynamic table, and it opens one stream.
 */
export function applySettings(payload: Uint8Array, window: SendWindow): Violation | undefined {
  if (payload.length % ENTRY_BYTES !== 0) {
    return { reason: "SETTINGS of a wrong size", code: ErrorCode.frameSizeError };
  }
  for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
    const violation = applySetting(
      ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0),
      readUint32(payload, at + 2),
      window,
    );
    if (violation !== undefined) {
      return violation;
    }
  }
  return undefined;
}

function applySetting(id: number, value: number, window: SendWindow): Violation | undefined {
  switch (id) {
    case Setting.enablePush:
      // A server must not send 1, either.
      return value === 0 ? undefined : outOfRange("ENABLE_PUSH");
    case Setting.initialWindowSize:
      return window.setInitial(value);
    case Setting.maxFrameSize:
      return value >= MAX_FRAME_BYTES && value <= MAX_MAX_FRAME_BYTES
        ? undefined
        : outOfRange("MAX_FRAME_SIZE");
    default:
      return undefined;
  }
}

function outOfRange(name: string): Violation {
  return { reason: `SETTINGS_${name} out of range`, code: ErrorCode.protocolError };
}
