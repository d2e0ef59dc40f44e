// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { joinBytes } from "./bytes.ts";
import { ErrorCode, encodeFrame, FrameType } from "./frames.ts";
import {
  block,
  END_HEADERS,
  END_STREAM,
  expectStableOutcome,
  frame,
  HEAD,
  HELLO,
  headers,
  hex,
  OK_HEAD,
  PADDED,
  PRIORITY,
  SETTINGS,
  setting,
  started,
  TRAILERS,
  windowUpdate,
} from "./server-script.fixture.ts";

const { protocolError, frameSizeError, flowControlError, compressionError } = ErrorCode;
test.each<{ name: string; sent: readonly Uint8Array[]; code: number }>([
  { name: "SETTINGS on a stream", sent: [frame(FrameType.settings, 0, 1, "")], code: protocolError },
  {
    name: "SETTINGS of a wrong size",
    sent: [frame(FrameType.settings, 0, 0, "0001")],
    code: frameSizeError,
  },
  {
    name: "SETTINGS ack with content",
    sent: [frame(FrameType.settings, 1, 0, "000100000000")],
    code: frameSizeError,
  },
  { name: "ENABLE_PUSH of a server", sent: [setting(2, 1)], code: protocolError },
  { name: "INITIAL_WINDOW_SIZE above 2^31-1", sent: [setting(4, 0x8000_0000)], code: flowControlError },
  { name: "MAX_FRAME_SIZE too small", sent: [setting(5, 16_383)], code: protocolError },
  { name: "MAX_FRAME_SIZE too large", sent: [setting(5, 0x100_0000)], code: protocolError },
  { name: "a frame above 16384 bytes", sent: [hex("004001 00 00 00000001")], code: frameSizeError },
  {
    name: "PUSH_PROMISE",
    sent: [frame(FrameType.pushPromise, END_HEADERS, 1, "0000000288")],
    code: protocolError,
  },
  {
    name: "PING on a stream",
    sent: [frame(FrameType.ping, 0, 1, "0000000000000000")],
    code: protocolError,
  },
  { name: "PING of a wrong size", sent: [frame(FrameType.ping, 0, 0, "00")], code: frameSizeError },
  {
    name: "GOAWAY on a stream",
    sent: [frame(FrameType.goaway, 0, 1, "0000000000000000")],
    code: protocolError,
  },
  {
    name: "GOAWAY of a wrong size",
    sent: [frame(FrameType.goaway, 0, 0, "00000000")],
    code: frameSizeError,
  },
  {
    name: "RST_STREAM of a wrong size",
    sent: [frame(FrameType.rstStream, 0, 1, "00")],
    code: frameSizeError,
  },
  {
    name: "RST_STREAM of the connection",
    sent: [frame(FrameType.rstStream, 0, 0, "00000000")],
    code: protocolError,
  },
  { name: "WINDOW_UPDATE of zero", sent: [windowUpdate(0, 0)], code: protocolError },
  { name: "WINDOW_UPDATE of zero for the stream", sent: [windowUpdate(1, 0)], code: protocolError },
  {
    name: "WINDOW_UPDATE of a wrong size",
    sent: [frame(FrameType.windowUpdate, 0, 0, "0001")],
    code: frameSizeError,
  },
  { name: "WINDOW_UPDATE of an idle stream", sent: [windowUpdate(3, 1)], code: protocolError },
  {
    name: "a connection window above 2^31-1",
    sent: [windowUpdate(0, 0x7fff_ffff)],
    code: flowControlError,
  },
  { name: "a stream window above 2^31-1", sent: [windowUpdate(1, 0x7fff_ffff)], code: flowControlError },
  {
    name: "settings that push the stream window above 2^31-1",
    sent: [windowUpdate(1, 10), setting(4, 0x7fff_ffff)],
    code: flowControlError,
  },
  {
    name: "PRIORITY of the connection",
    sent: [frame(FrameType.priority, 0, 0, "0000000010")],
    code: protocolError,
  },
  { name: "PRIORITY of a wrong size", sent: [frame(FrameType.priority, 0, 1, "00")], code: frameSizeError },
  {
    name: "HEADERS on another stream",
    sent: [encodeFrame(FrameType.headers, END_HEADERS, 2, block(OK_HEAD))],
    code: protocolError,
  },
  { name: "DATA of the connection", sent: [HEAD, frame(FrameType.data, 0, 0, "00")], code: protocolError },
  { name: "DATA before HEADERS", sent: [HELLO], code: protocolError },
  {
    name: "DATA with more padding than frame",
    sent: [HEAD, frame(FrameType.data, PADDED, 1, "0200")],
    code: protocolError,
  },
  {
    name: "DATA too short for its padding length",
    sent: [HEAD, frame(FrameType.data, PADDED, 1, "")],
    code: frameSizeError,
  },
  {
    name: "HEADERS too short for their priority",
    sent: [frame(FrameType.headers, PRIORITY | END_HEADERS, 1, "0000")],
    code: frameSizeError,
  },
  {
    name: "CONTINUATION out of nowhere",
    sent: [frame(FrameType.continuation, END_HEADERS, 1, "88")],
    code: protocolError,
  },
  {
    name: "a frame within a header block",
    sent: [frame(FrameType.headers, 0, 1, "88"), SETTINGS],
    code: protocolError,
  },
  {
    name: "an unknown frame within a header block",
    sent: [frame(FrameType.headers, 0, 1, "88"), frame(0xfa, 0, 0, "")],
    code: protocolError,
  },
  {
    name: "CONTINUATION of another stream",
    sent: [frame(FrameType.headers, 0, 1, "88"), frame(FrameType.continuation, END_HEADERS, 3, "")],
    code: protocolError,
  },
  {
    name: "headers that cannot be decoded",
    sent: [frame(FrameType.headers, END_HEADERS, 1, "80")],
    code: compressionError,
  },
  {
    name: "headers without :status",
    sent: [headers({ "content-type": "application/grpc" })],
    code: protocolError,
  },
  { name: "an empty header list", sent: [headers({})], code: protocolError },
  { name: "a :status that is no number", sent: [headers({ ":status": "1e2" })], code: protocolError },
  {
    name: "a pseudo-header after others",
    sent: [headers({ a: "b", ":status": "200" })],
    code: protocolError,
  },
  {
    name: "two :status",
    sent: [encodeFrame(FrameType.headers, END_HEADERS, 1, hex("8888"))],
    code: protocolError,
  },
  {
    name: "a pseudo-header of requests",
    sent: [headers({ ...{ ":path": "/" }, ...OK_HEAD })],
    code: protocolError,
  },
  {
    name: "a pseudo-header in trailers",
    sent: [HEAD, HELLO, headers({ ":status": "200" }, END_STREAM)],
    code: protocolError,
  },
  { name: "an upper-case name", sent: [headers({ ...OK_HEAD, A: "b" })], code: protocolError },
  { name: "a space in a name", sent: [headers({ ...OK_HEAD, "a b": "c" })], code: protocolError },
  { name: "a colon within a name", sent: [headers({ ...OK_HEAD, "a:b": "c" })], code: protocolError },
  { name: "a name outside ASCII", sent: [headers({ ...OK_HEAD, ü: "c" })], code: protocolError },
  { name: "an empty name", sent: [headers({ ...OK_HEAD, "": "b" })], code: protocolError },
  { name: "a line break in a value", sent: [headers({ ...OK_HEAD, a: "b\r\nc" })], code: protocolError },
  {
    name: "a header of HTTP/1.1",
    sent: [headers({ ...OK_HEAD, connection: "close" })],
    code: protocolError,
  },
  {
    name: "trailers that do not end the stream",
    sent: [HEAD, HELLO, headers({ "grpc-status": "0" })],
    code: protocolError,
  },
  {
    name: "an interim answer that ends the stream",
    sent: [headers({ ":status": "103" }, END_STREAM)],
    code: protocolError,
  },
  { name: "101", sent: [headers({ ":status": "101" })], code: protocolError },
])("$name", ({ sent, code }) => {
  const outcome = expectStableOutcome(sent);
  expect(outcome).toMatchObject({ kind: "violation", code });
});

test.each([
  { name: "an answer in HTTP/1.1", bytes: new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n") },
  { name: "a frame before SETTINGS", bytes: HEAD },
  { name: "an acknowledgement before SETTINGS", bytes: frame(FrameType.settings, 1, 0, "") },
])("$name is no HTTP/2 server", ({ bytes }) => {
  const call = started();
  call.receive(bytes);
  expect(call.outcome).toMatchObject({ kind: "violation", code: ErrorCode.protocolError });
  expect(call.serverReady).toBe(false);
});

test("a violation is told to the peer in GOAWAY, and nothing follows", () => {
  const call = started(new Uint8Array(1_000_000));
  call.receive(
    joinBytes([SETTINGS, windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000), windowUpdate(0, 0)]),
  );
  expect(call.takeOutput()?.toHex()).toBe("0000000401000000000000080700000000000000000000000001");
  call.receive(joinBytes([HEAD, HELLO, TRAILERS]));
  expect(call.takeOutput()).toBeUndefined();
  expect(call.outcome?.kind).toBe("violation");
});
