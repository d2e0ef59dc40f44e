// SPDX-License-Identifier: Apache-2.0
// For tests: a server's side of the exchange, written frame by frame.
import { expect } from "bun:test";
import { fromByteText, joinBytes } from "./bytes.ts";
import { encodeFrame, FrameType } from "./frames.ts";
import { encodeLiteral } from "./hpack-encode.ts";
import { createUnaryCall, type UnaryCall, type UnaryOutcome } from "./unary-call.ts";

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

type Pairs = Readonly<Record<string, string>>;

export const OK_HEAD = { ":status": "200", "content-type": "application/grpc" };
export const SETTINGS = frame(FrameType.settings, 0, 0, "");
export const HEAD = headers(OK_HEAD);
export const HELLO = frame(FrameType.data, 0, 1, "00000000026869");
export const TRAILERS = headers({ "grpc-status": "0" }, END_STREAM);

export function frame(type: number, flags: number, streamId: number, payload: string): Uint8Array {
  return encodeFrame(type, flags, streamId, hex(payload));
}

export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

export function block(pairs: Pairs): Uint8Array {
  return fromByteText(
    Object.entries(pairs)
      .map(([name, value]) => encodeLiteral(name, value))
      .join(""),
  );
}

export function headers(pairs: Pairs, flags = 0): Uint8Array {
  return encodeFrame(FrameType.headers, END_HEADERS | flags, 1, block(pairs));
}

export function setting(id: number, value: number): Uint8Array {
  return frame(
    FrameType.settings,
    0,
    0,
    id.toString(16).padStart(4, "0") + value.toString(16).padStart(8, "0"),
  );
}

export function windowUpdate(streamId: number, increment: number): Uint8Array {
  return frame(FrameType.windowUpdate, 0, streamId, increment.toString(16).padStart(8, "0"));
}

/** A call whose first output is on its way. */
export function started(message = new Uint8Array(0)): UnaryCall {
  const call = createUnaryCall({ authority: "localhost", path: "/a.B/C", message, userAgent: "test" });
  call.takeOutput();
  return call;
}

/** The outcome must not depend on how the bytes were cut. */
export function expectStableOutcome(sent: readonly Uint8Array[]): UnaryOutcome | undefined {
  const bytes = joinBytes([SETTINGS, ...sent]);
  const whole = started();
  whole.receive(bytes);
  for (const size of [1, 2, 8, 9, 10, 13]) {
    const cut = started();
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = bytes.slice(at, at + size);
      cut.receive(chunk);
      // The buffer is the caller's: what it holds afterwards must not matter.
      chunk.fill(0xff);
    }
    expect(cut.outcome).toEqual(whole.outcome);
  }
  return whole.outcome;
}
