// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { joinBytes } from "./bytes.ts";
import { encodeFrame, FrameType } from "./frames.ts";
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
  started,
  TRAILERS,
} from "./server-script.fixture.ts";
import type { UnaryOutcome } from "./unary-call.ts";

const ANSWER = { kind: "response", message: new TextEncoder().encode("hi") } as const;

describe("answers", () => {
  test.each<{ name: string; sent: readonly Uint8Array[]; outcome: UnaryOutcome }>([
    { name: "head, message, trailers", sent: [HEAD, HELLO, TRAILERS], outcome: ANSWER },
    {
      name: "stream ids with the reserved bit set",
      sent: [HEAD, frame(FrameType.data, 0, 0x8000_0001, "00000000026869"), TRAILERS],
      outcome: ANSWER,
    },
    {
      name: "header values that are no UTF-8",
      sent: [
        encodeFrame(FrameType.headers, END_HEADERS, 1, joinBytes([block(OK_HEAD), hex("00016102fffe")])),
        HELLO,
        TRAILERS,
      ],
      outcome: ANSWER,
    },
    {
      name: "an empty message",
      sent: [HEAD, frame(FrameType.data, 0, 1, "0000000000"), TRAILERS],
      outcome: { kind: "response", message: new Uint8Array(0) },
    },
    {
      name: "a message in pieces, some of them empty",
      sent: [
        HEAD,
        ...["00", "", "000000", "0268", "69"].map((hex) => frame(FrameType.data, 0, 1, hex)),
        TRAILERS,
      ],
      outcome: ANSWER,
    },
    {
      name: "padded DATA",
      sent: [HEAD, frame(FrameType.data, PADDED, 1, "03 0000000002 6869 000000"), TRAILERS],
      outcome: ANSWER,
    },
    {
      name: "padded HEADERS with priority",
      sent: [
        encodeFrame(
          FrameType.headers,
          END_HEADERS | PADDED | PRIORITY,
          1,
          joinBytes([hex("0280000000ff"), block(OK_HEAD), hex("0000")]),
        ),
        HELLO,
        TRAILERS,
      ],
      outcome: ANSWER,
    },
    {
      name: "headers in CONTINUATION frames, one of them empty",
      sent: [
        encodeFrame(FrameType.headers, 0, 1, block(OK_HEAD).subarray(0, 7)),
        frame(FrameType.continuation, 0, 1, ""),
        encodeFrame(FrameType.continuation, END_HEADERS, 1, block(OK_HEAD).subarray(7)),
        HELLO,
        TRAILERS,
      ],
      outcome: ANSWER,
    },
    {
      name: "trailers in a CONTINUATION frame",
      sent: [
        HEAD,
        HELLO,
        frame(FrameType.headers, END_STREAM, 1, ""),
        encodeFrame(FrameType.continuation, END_HEADERS, 1, block({ "grpc-status": "0" })),
      ],
      outcome: ANSWER,
    },
    {
      name: "interim answers",
      sent: [headers({ ":status": "103", link: "x" }), headers({ ":status": "100" }), HEAD, HELLO, TRAILERS],
      outcome: ANSWER,
    },
    {
      name: "unknown frames, settings and PRIORITY frames",
      sent: [
        frame(0xfa, 0xff, 77, "0102"),
        frame(FrameType.settings, 0, 0, "ffff00000001"),
        frame(FrameType.priority, 0, 9, "0000000010"),
        HEAD,
        HELLO,
        frame(0x0a, 0, 0, "00"),
        TRAILERS,
      ],
      outcome: ANSWER,
    },
    {
      name: "a GOAWAY that lets the call finish",
      sent: [frame(FrameType.goaway, 0, 0, "0000000100000000"), HEAD, HELLO, TRAILERS],
      outcome: ANSWER,
    },
    {
      name: "header names that mean something to JavaScript",
      sent: [headers({ ...OK_HEAD, ["__proto__"]: "x", constructor: "y" }), HELLO, TRAILERS],
      outcome: ANSWER,
    },
    {
      name: "content type with a suffix",
      sent: [headers({ ":status": "200", "content-type": "application/grpc+proto" }), HELLO, TRAILERS],
      outcome: ANSWER,
    },
  ])("$name", ({ sent, outcome }) => {
    expect(expectStableOutcome(sent)).toEqual(outcome);
  });
});

describe("status", () => {
  test.each<{ name: string; sent: readonly Uint8Array[]; code: number; message: string | RegExp }>([
    {
      name: "trailers only",
      sent: [headers({ ...OK_HEAD, "grpc-status": "5", "grpc-message": "gr%C3%BCn" }, END_STREAM)],
      code: 5,
      message: "grün",
    },
    {
      name: "an error after a message",
      sent: [HEAD, HELLO, headers({ "grpc-status": "13" }, END_STREAM)],
      code: 13,
      message: "",
    },
    {
      name: "grpc-status outweighs the HTTP status",
      sent: [headers({ ":status": "503", "grpc-status": "7", "grpc-message": "no" }, END_STREAM)],
      code: 7,
      message: "no",
    },
    {
      name: "a grpc-status that is no number",
      sent: [HEAD, headers({ "grpc-status": "x" }, END_STREAM)],
      code: 2,
      message: "",
    },
    { name: "HTTP 503, ended", sent: [headers({ ":status": "503" }, END_STREAM)], code: 14, message: /503/ },
    {
      name: "HTTP 404 with a page",
      sent: [headers({ ":status": "404", "content-type": "text/html" })],
      code: 12,
      message: /404/,
    },
    {
      name: "another content type",
      sent: [headers({ ":status": "200", "content-type": "text/html" })],
      code: 2,
      message: /text\/html/,
    },
    {
      name: "a content type that only begins alike",
      sent: [headers({ ":status": "200", "content-type": "application/grpc-web" })],
      code: 2,
      message: /grpc-web/,
    },
    { name: "no content type", sent: [headers({ ":status": "200" })], code: 2, message: /content-type/ },
    {
      name: "no grpc-status in the trailers",
      sent: [HEAD, HELLO, headers({ x: "y" }, END_STREAM)],
      code: 2,
      message: /grpc-status/,
    },
    {
      name: "no trailers",
      sent: [HEAD, frame(FrameType.data, END_STREAM, 1, "00000000026869")],
      code: 2,
      message: /grpc-status/,
    },
    { name: "OK without a message", sent: [HEAD, TRAILERS], code: 13, message: /without a message/ },
    {
      name: "OK within a message",
      sent: [HEAD, frame(FrameType.data, 0, 1, "000000000268"), TRAILERS],
      code: 13,
      message: /within/,
    },
    {
      name: "OK within the prefix of a message",
      sent: [HEAD, frame(FrameType.data, 0, 1, "0000"), TRAILERS],
      code: 13,
      message: /within/,
    },
    { name: "two messages", sent: [HEAD, HELLO, HELLO], code: 13, message: /more than one/ },
    {
      name: "two messages in one frame",
      sent: [HEAD, frame(FrameType.data, 0, 1, "000000000161000000000162")],
      code: 13,
      message: /more than one/,
    },
    {
      name: "a compressed message",
      sent: [HEAD, frame(FrameType.data, 0, 1, "0100000001ff")],
      code: 13,
      message: /compressed/,
    },
    {
      name: "a message that is announced too large",
      sent: [HEAD, frame(FrameType.data, 0, 1, "0000400001")],
      code: 8,
      message: /4194305 vs\. 4194304/,
    },
    {
      name: "a stream reset with CANCEL",
      sent: [frame(FrameType.rstStream, 0, 1, "00000008")],
      code: 1,
      message: /8/,
    },
    {
      name: "a stream reset with NO_ERROR",
      sent: [HEAD, frame(FrameType.rstStream, 0, 1, "00000000")],
      code: 13,
      message: /0/,
    },
  ])("$name", ({ sent, code, message }) => {
    const outcome = expectStableOutcome(sent);
    expect(outcome).toMatchObject({ kind: "status", code });
    expect(outcome?.kind === "status" ? outcome.message : undefined).toMatch(
      typeof message === "string" ? new RegExp(`^${message}$`) : message,
    );
  });

  test("a status that comes before the end of the stream resets it", () => {
    const call = started();
    call.receive(joinBytes([SETTINGS, headers({ ":status": "404" })]));
    expect(call.takeOutput()?.toHex()).toEndWith("00000403000000000100000008");
    expect(call.takeOutput()).toBeUndefined();
  });
});

describe("lost calls", () => {
  test.each([
    { name: "the server closed at once", sent: [], close: true, retryable: true },
    { name: "the server closed before its answer", sent: [SETTINGS], close: true, retryable: true },
    {
      name: "the server closed within a frame",
      sent: [SETTINGS, HEAD.subarray(0, 12)],
      close: true,
      retryable: true,
    },
    {
      name: "the server closed within its answer",
      sent: [SETTINGS, HEAD, HELLO],
      close: true,
      retryable: false,
    },
    {
      name: "GOAWAY for all streams",
      sent: [SETTINGS, frame(FrameType.goaway, 0, 0, "0000000000000000")],
      close: false,
      retryable: true,
    },
    {
      name: "GOAWAY with a reserved bit and debug data",
      sent: [SETTINGS, frame(FrameType.goaway, 0, 0, "800000000000000b6162")],
      close: false,
      retryable: true,
    },
    {
      name: "GOAWAY and then the end",
      sent: [SETTINGS, HEAD, frame(FrameType.goaway, 0, 0, "0000000100000002")],
      close: true,
      retryable: false,
    },
    {
      name: "REFUSED_STREAM",
      sent: [SETTINGS, frame(FrameType.rstStream, 0, 1, "00000007")],
      close: false,
      retryable: true,
    },
  ])("$name", ({ sent, close, retryable }) => {
    const call = started();
    call.receive(joinBytes(sent));
    expect(call.outcome === undefined).toBe(close);
    call.close();
    expect(call.outcome).toMatchObject({ kind: "lost", retryable });
  });

  test("an outcome survives the end of the connection", () => {
    const call = started();
    call.receive(joinBytes([SETTINGS, HEAD, HELLO, TRAILERS]));
    call.close();
    expect(call.outcome).toEqual(ANSWER);
  });
});

describe("acknowledgements", () => {
  test("SETTINGS and PING are answered, acknowledgements are not", () => {
    const call = started();
    expect(call.serverReady).toBe(false);
    call.receive(SETTINGS);
    expect(call.serverReady).toBe(true);
    expect(call.takeOutput()?.toHex()).toBe("000000040100000000");
    call.receive(frame(FrameType.ping, 0, 0, "0102030405060708"));
    expect(call.takeOutput()?.toHex()).toBe("0000080601000000000102030405060708");
    call.receive(
      joinBytes([frame(FrameType.ping, 1, 0, "0102030405060708"), frame(FrameType.settings, 1, 0, "")]),
    );
    expect(call.takeOutput()).toBeUndefined();
  });
});
