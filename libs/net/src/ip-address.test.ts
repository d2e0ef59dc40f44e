// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { isLoopback } from "./ip-address.ts";

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
