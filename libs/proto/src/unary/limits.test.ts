// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { joinBytes } from "./bytes.ts";
import { ErrorCode, encodeFrame, FrameType } from "./frames.ts";
import { MAX_HEADER_LIST_BYTES, MAX_IDLE_FRAMES, MAX_WAITING_ACK_BYTES } from "./limits.ts";
import {
  frame,
  HEAD,
  HELLO,
  headers,
  OK_HEAD,
  SETTINGS,
  started,
  windowUpdate,
} from "./server-script.fixture.ts";

const PING = frame(FrameType.ping, 0, 0, "0000000000000000");

test.each([
  { name: "PING that is answered", begin: SETTINGS, flood: PING },
  { name: "SETTINGS that are answered", begin: SETTINGS, flood: SETTINGS },
  { name: "acknowledgements", begin: SETTINGS, flood: frame(FrameType.settings, 1, 0, "") },
  { name: "window updates", begin: SETTINGS, flood: windowUpdate(0, 1) },
  { name: "unknown frames", begin: SETTINGS, flood: frame(0xfa, 0, 0, "") },
  { name: "PRIORITY", begin: SETTINGS, flood: frame(FrameType.priority, 0, 3, "0000000010") },
  { name: "interim answers", begin: SETTINGS, flood: headers({ ":status": "103" }) },
  { name: "empty DATA", begin: joinBytes([SETTINGS, HEAD]), flood: frame(FrameType.data, 0, 1, "") },
  {
    name: "DATA that is all padding",
    begin: joinBytes([SETTINGS, HEAD]),
    flood: frame(FrameType.data, 8, 1, "0100"),
  },
  {
    name: "empty CONTINUATION",
    begin: joinBytes([SETTINGS, frame(FrameType.headers, 0, 1, "")]),
    flood: frame(FrameType.continuation, 0, 1, ""),
  },
  {
    name: "GOAWAY",
    begin: SETTINGS,
    flood: frame(FrameType.goaway, 0, 0, "0000000100000000"),
  },
])("a flood of $name ends the call, and takes no memory meanwhile", ({ begin, flood }) => {
  const call = started();
  call.receive(begin);
  let sent = 0;
  for (; call.outcome === undefined && sent <= MAX_IDLE_FRAMES; sent += 1) {
    call.receive(flood);
    expect(call.takeOutput()?.length ?? 0).toBeLessThan(100);
  }
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.enhanceYourCalm });
  expect(sent).toBeGreaterThan(MAX_IDLE_FRAMES - 5);
});

test("acknowledgements that nobody takes are bounded", () => {
  const call = started();
  call.receive(SETTINGS);
  const needed = Math.ceil(MAX_WAITING_ACK_BYTES / PING.length);
  call.receive(joinBytes(Array.from({ length: needed }, () => PING)));
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.enhanceYourCalm });
  expect(call.takeOutput()?.length ?? 0).toBeLessThan(MAX_WAITING_ACK_BYTES + 100);
});

test("frames that bring the call further never count as a flood", () => {
  const call = started();
  call.receive(joinBytes([SETTINGS, HEAD, frame(FrameType.data, 0, 1, "0000007530")]));
  for (let sent = 0; sent < 30_000; sent += 1) {
    call.receive(frame(FrameType.data, 0, 1, "61"));
    call.takeOutput();
  }
  call.receive(headers({ "grpc-status": "0" }, 1));
  expect(call.outcome?.kind).toBe("response");
});

test("a header list above the limit ends the call", () => {
  const call = started();
  const large = { ...OK_HEAD, a: "b".repeat(13_000), c: "d".repeat(3000) };
  call.receive(joinBytes([SETTINGS, headers(large)]));
  expect(call.outcome).toBeUndefined();
  // 600 entries are 19,800 bytes on the wire and 35 bytes each in the count.
  const many = encodeFrame(FrameType.headers, 0, 1, new Uint8Array(0));
  const part = encodeFrame(FrameType.continuation, 0, 1, repeat("00 01 61 00", 3000));
  const last = encodeFrame(FrameType.continuation, 4, 1, new Uint8Array(0));
  call.receive(joinBytes([many, part, last]));
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.enhanceYourCalm });
});

test("a header block above the limit ends the call before it is complete", () => {
  const call = started();
  const part = encodeFrame(FrameType.continuation, 0, 1, new Uint8Array(16_384).fill(0x88));
  call.receive(joinBytes([SETTINGS, frame(FrameType.headers, 0, 1, "88")]));
  let sent = 0;
  for (; call.outcome === undefined && sent < 10; sent += 1) {
    call.receive(part);
  }
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.enhanceYourCalm });
  expect(sent).toBe(MAX_HEADER_LIST_BYTES / 16_384);
});

test("data beyond the window ends the call", () => {
  const call = started();
  call.receive(joinBytes([SETTINGS, HEAD, frame(FrameType.data, 0, 1, "0000400000")]));
  const part = encodeFrame(FrameType.data, 0, 1, new Uint8Array(16_384));
  // 5 bytes and three whole frames fit, and what is left of the window is short of a fourth.
  call.receive(joinBytes([part, part, part]));
  expect(call.outcome).toBeUndefined();
  call.receive(part);
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.flowControlError });
});

test("the windows are given back when half is used, padding included", () => {
  const call = started();
  call.receive(joinBytes([SETTINGS, HEAD, frame(FrameType.data, 0, 1, "0000400000")]));
  call.takeOutput();
  const padded = new Uint8Array(16_384);
  padded[0] = 200;
  const part = encodeFrame(FrameType.data, 8, 1, padded);
  call.receive(part);
  expect(call.takeOutput()).toBeUndefined();
  call.receive(part);
  // 32,773 bytes for the connection, then as many for the stream.
  expect(call.takeOutput()?.toHex()).toBe("0000040800000000000000800500000408000000000100008005");
});

test("an answer of the greatest length is taken", () => {
  const call = started();
  call.receive(joinBytes([SETTINGS, HEAD, frame(FrameType.data, 0, 1, "0000400000")]));
  const part = encodeFrame(FrameType.data, 0, 1, new Uint8Array(16_384).fill(7));
  for (let sent = 0; sent < 256; sent += 1) {
    call.receive(part);
    call.takeOutput();
  }
  call.receive(headers({ "grpc-status": "0" }, 1));
  expect(call.outcome?.kind === "response" ? call.outcome.message : undefined).toEqual(
    new Uint8Array(4_194_304).fill(7),
  );
});

test("what comes after the outcome is ignored", () => {
  const call = started();
  call.receive(joinBytes([SETTINGS, HEAD, HELLO, headers({ "grpc-status": "0" }, 1), PING, PING]));
  const { outcome } = call;
  call.receive(new Uint8Array(100_000));
  expect(call.outcome).toBe(outcome);
  expect(call.takeOutput()?.toHex()).toBe("000000040100000000");
});

function repeat(text: string, times: number): Uint8Array {
  const once = Uint8Array.fromHex(text.replaceAll(" ", ""));
  return joinBytes(Array.from({ length: times }, () => once));
}
