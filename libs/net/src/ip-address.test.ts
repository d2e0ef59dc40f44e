// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { isLoopback, parseIp, renderIp } from "./ip-address.ts";

test.each([
  { host: "localhost", expected: true },
  { host: "127.9.9.9", expected: true },
  { host: "::1", expected: true },
  { host: "0:0::1", expected: true },
  { host: "::ffff:127.0.0.1", expected: true },
  { host: "::", expected: false },
  { host: "", expected: false },
  { host: "128.0.0.1", expected: false },
  { host: "127.1", expected: false },
  { host: "127.0.0.1.example.org", expected: false },
])("$host is loopback: $expected", ({ host, expected }) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each([
  "10.0.0.1",
  "0.0.0.0",
  "255.255.255.255",
  "::1",
  "::",
  "fd00::1",
  "2001:db8::1:0:0:1",
  "::fffe:a00:1",
])("%s is rendered as it was written", (text) => {
  expect(renderIp(parseIp(text) ?? new Uint8Array())).toBe(text);
});
