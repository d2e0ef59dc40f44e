// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { joinBytes, readUint32 } from "./bytes.ts";
import { createFrameReader } from "./frame-reader.ts";
import { Flag, type Frame, FrameType } from "./frames.ts";
import { createHpackDecoder } from "./hpack-decode.ts";
import { SETTINGS, setting, started, windowUpdate } from "./server-script.fixture.ts";
import { createUnaryCall } from "./unary-call.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const base = { authority: "localhost", path: "/a.B/C", userAgent: "test/1" };

describe("the first output", () => {
  test("is the whole request where the default windows suffice", () => {
    const call = createUnaryCall({ ...base, message: new Uint8Array([1, 2, 3]), timeoutMs: 1500 });
    const output = call.takeOutput() ?? new Uint8Array(0);
    expect(new TextDecoder().decode(output.subarray(0, PREFACE.length))).toBe(PREFACE);
    const [settings, headers, data, ...rest] = readFrames(output.subarray(PREFACE.length));
    expect(rest).toEqual([]);
    // ENABLE_PUSH 0 and MAX_HEADER_LIST_SIZE 65536.
    expect(settings?.payload.toHex()).toBe("000200000000000600010000");
    expect(headers).toMatchObject({ type: FrameType.headers, flags: Flag.endHeaders, streamId: 1 });
    expect(decode(headers?.payload)).toEqual([
      ":method: POST",
      ":scheme: http",
      ":path: /a.B/C",
      ":authority: localhost",
      "te: trailers",
      "grpc-timeout: 1500m",
      "content-type: application/grpc",
      "user-agent: test/1",
    ]);
    expect(data).toMatchObject({ type: FrameType.data, flags: Flag.endStream, streamId: 1 });
    expect(data?.payload.toHex()).toBe("0000000003010203");
    expect(call.takeOutput()).toBeUndefined();
  });

  test("has no grpc-timeout without a deadline", () => {
    const output = createUnaryCall({ ...base, message: new Uint8Array(0) }).takeOutput();
    const names = decode(readFrames((output ?? new Uint8Array(0)).subarray(PREFACE.length))[1]?.payload);
    expect(names.filter((line) => line.startsWith("grpc-timeout"))).toEqual([]);
    expect(names).toHaveLength(7);
  });

  test("fills the default window with frames of the default size", () => {
    const output = createUnaryCall({ ...base, message: new Uint8Array(100_000) }).takeOutput();
    const data = readFrames((output ?? new Uint8Array(0)).subarray(PREFACE.length)).slice(2);
    expect(data.map(({ payload, flags }) => [payload.length, flags])).toEqual([
      [16_384, 0],
      [16_384, 0],
      [16_384, 0],
      [16_383, 0],
    ]);
  });

  test("spreads headers larger than a frame over CONTINUATION frames", () => {
    const userAgent = "u".repeat(40_000);
    const output = createUnaryCall({ ...base, userAgent, message: new Uint8Array(0) }).takeOutput();
    const frames = readFrames((output ?? new Uint8Array(0)).subarray(PREFACE.length)).slice(1, -1);
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      [FrameType.headers, 0],
      [FrameType.continuation, 0],
      [FrameType.continuation, Flag.endHeaders],
    ]);
    expect(decode(joinBytes(frames.map(({ payload }) => payload)))).toContain(`user-agent: ${userAgent}`);
  });
});

describe("the rest of the message", () => {
  const message = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);

  /** Prefix and message, as the server puts them together. */
  function expectWhole(parts: readonly Uint8Array[]): void {
    const body = joinBytes(parts);
    expect(readUint32(body, 1)).toBe(message.length);
    expect(body.subarray(5)).toEqual(message);
  }

  function sendable(call: ReturnType<typeof started>): readonly Frame[] {
    const output = call.takeOutput();
    return output === undefined
      ? []
      : readFrames(joinBytes([SETTINGS, output])).filter(({ type }) => type === FrameType.data);
  }

  test("goes on when both windows grow, as far as the smaller allows, and ends the stream once", () => {
    const call = createUnaryCall({ ...base, message });
    const first = readFrames((call.takeOutput() ?? new Uint8Array(0)).subarray(PREFACE.length)).slice(2);
    call.receive(SETTINGS);
    call.receive(windowUpdate(0, 300_000));
    expect(sendable(call)).toEqual([]);
    call.receive(windowUpdate(1, 3));
    const second = sendable(call);
    expect(second.map(({ payload, flags }) => [payload.length, flags])).toEqual([[3, 0]]);
    call.receive(windowUpdate(1, 300_000));
    const third = sendable(call);
    expect(third.map(({ flags }) => flags & Flag.endStream)).toEqual([...third.slice(1).map(() => 0), 1]);
    expectWhole([...first, ...second, ...third].map(({ payload }) => payload));
    call.receive(windowUpdate(1, 1000));
    expect(sendable(call)).toEqual([]);
  });

  test("follows the initial window of the peer's settings, below zero too", () => {
    const call = started(message);
    call.receive(windowUpdateFirst(0, 300_000));
    // 65,535 bytes are under way: the window is 100 - 65,535.
    call.receive(setting(4, 100));
    call.receive(windowUpdate(1, 65_435));
    expect(sendable(call)).toEqual([]);
    call.receive(windowUpdate(1, 1));
    expect(sendable(call).map(({ payload }) => payload.length)).toEqual([1]);
    call.receive(setting(4, 0));
    call.receive(windowUpdate(1, 100));
    expect(sendable(call)).toEqual([]);
    call.receive(setting(4, 20));
    expect(sendable(call).map(({ payload }) => payload.length)).toEqual([20]);
  });

  test("keeps to frames of 16384 bytes whatever the peer would take", () => {
    const call = started(message);
    call.receive(joinBytes([setting(5, 0xff_ffff), windowUpdate(0, 300_000), windowUpdate(1, 300_000)]));
    expect(Math.max(...sendable(call).map(({ payload }) => payload.length))).toBe(16_384);
  });

  test("is given up when the server answers first", () => {
    const call = started(message);
    call.receive(joinBytes([SETTINGS, windowUpdate(0, 300_000), windowUpdate(1, 300_000)]));
    call.receive(Uint8Array.fromHex("00000403000000000100000008"));
    expect(sendable(call)).toEqual([]);
    expect(call.outcome).toMatchObject({ kind: "status", code: 1 });
  });
});

function windowUpdateFirst(streamId: number, increment: number): Uint8Array {
  return joinBytes([SETTINGS, windowUpdate(streamId, increment)]);
}

function readFrames(bytes: Uint8Array): readonly Frame[] {
  const frames: Frame[] = [];
  const reader = createFrameReader((frame) => {
    frames.push({ ...frame, payload: frame.payload.slice() });
    return true;
  });
  expect(reader.read(bytes)).toBeUndefined();
  return frames;
}

function decode(block: Uint8Array | undefined): readonly string[] {
  const decoder = createHpackDecoder({ maxTableBytes: 0, maxListBytes: 100_000 });
  const decoded = decoder.decode(block ?? new Uint8Array(0));
  return decoded.ok ? decoded.value.map(({ name, value }) => `${name}: ${value}`) : [];
}
