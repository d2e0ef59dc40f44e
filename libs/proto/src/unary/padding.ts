// SPDX-License-Identifier: Apache-2.0
import { err, type Result } from "@rthooks/result";
import { ErrorCode, Flag, type Frame, FrameType, type Violation } from "./frames.ts";

/** Size of the priority fields in a HEADERS frame: RFC 9113 section 6.2. */
const PRIORITY_BYTES = 5;

/** The payload of a DATA or HEADERS frame without padding and priority. */
export function findContent(frame: Frame): Result<Uint8Array, Violation> {
  const { payload, flags } = frame;
  const padded = (flags & Flag.padded) !== 0;
  const prioritized = frame.type === FrameType.headers && (flags & Flag.priority) !== 0;
  const start = (padded ? 1 : 0) + (prioritized ? PRIORITY_BYTES : 0);
  if (start > payload.length) {
    return err({ reason: "a frame too short for its flags", code: ErrorCode.frameSizeError });
  }
  const end = payload.length - (padded ? (payload[0] ?? 0) : 0);
  if (end < start) {
    return err({ reason: "more padding than frame", code: ErrorCode.protocolError });
  }
  // ok() written out: the whole hook calls it almost as often as makes the runtime compile it (bytes.ts).
  return { ok: true, value: payload.subarray(start, end) };
}
