// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createUnaryCall } from "@rthooks/proto/unary";
import { exchanges } from "./fixtures/exchanges.ts";

const request = { authority: "localhost", path: "/wire.Echo/Echo", userAgent: "rthooks-test" };

test.each([...exchanges])("$origin, $name: the outcome, however the bytes are cut", ({ hex, outcome }) => {
  const bytes = Uint8Array.fromHex(hex);
  for (let size = 1; size <= bytes.length; size += 1) {
    const call = createUnaryCall({ ...request, message: new Uint8Array(0) });
    for (let at = 0; at < bytes.length; at += size) {
      // Nothing is decided before the last byte: what was left out would be missed.
      expect(call.outcome).toBeUndefined();
      call.receive(bytes.subarray(at, at + size));
    }
    expect(call.serverReady).toBe(true);
    expect(call.outcome).toEqual(outcome);
  }
});

test.each([...exchanges])("$origin, $name: cut off anywhere, the call is lost", ({ hex }) => {
  const bytes = Uint8Array.fromHex(hex);
  for (let end = 0; end < bytes.length; end += 1) {
    const call = createUnaryCall({ ...request, message: new Uint8Array(0) });
    call.receive(bytes.subarray(0, end));
    call.close();
    expect(call.outcome?.kind).toBe("lost");
  }
});

test("our own side of the exchange", () => {
  const message = new TextEncoder().encode("hello");
  const call = createUnaryCall({ ...request, message, timeoutMs: 10_000 });
  expect(call.takeOutput()?.toHex()).toBe(
    // Preface, SETTINGS, HEADERS, DATA: both servers of the other fixtures answered these bytes.
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a" +
      "00000c040000000000000200000000000600010000" +
      "000062010400000001" +
      "8386040f2f776972652e4563686f2f4563686f01096c6f63616c686f73740002746508747261696c657273000c67" +
      "7270632d74696d656f75740631303030306d0f10106170706c69636174696f6e2f677270630f2b0c7274686f6f6b732d74657374" +
      "00000a000100000001000000000568656c6c6f",
  );
});
