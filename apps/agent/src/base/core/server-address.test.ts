// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderAddress } from "@rthooks/net";
import { parseServerAddress } from "./server-address.ts";

test.each([
  { text: "unix:///run/t.sock", rendered: "unix:///run/t.sock" },
  { text: "unix:/run/t.sock", rendered: "unix:///run/t.sock" },
  { text: "localhost:54321", rendered: "localhost:54321" },
  { text: "localhost", rendered: "localhost:54321" },
  { text: ":80", rendered: "[::]:80" },
  { text: "10.0.0.1:0", rendered: "10.0.0.1:0" },
  { text: "[::1]:80", rendered: "[::1]:80" },
  { text: "[::1]", rendered: "[::1]:54321" },
  { text: "dns:///agent.local:80", rendered: "agent.local:80" },
  { text: "passthrough:///agent:80", rendered: "agent:80" },
])("$text is an address", ({ text, rendered }) => {
  const address = parseServerAddress(text);
  expect(address.ok && renderAddress(address.value)).toBe(rendered);
});

test.each([
  { text: "/run/t.sock", says: "unix:///run/t.sock" },
  { text: "unix:run/t.sock", says: "absolute" },
  { text: "unix://host/t.sock", says: "absolute" },
  { text: "unix:///run/", says: "absolute" },
  { text: `unix:///${"x".repeat(107)}`, says: "107" },
  { text: "", says: "not an address" },
  { text: "host:port", says: "not an address" },
  { text: "host:99999", says: "not an address" },
  { text: "a b:80", says: "not an address" },
  { text: "::1:80", says: "not an address" },
  { text: "tls://host:80", says: "not an address" },
])("$text is refused", ({ text, says }) => {
  const address = parseServerAddress(text);
  expect(address.ok ? address : address.error).toContain(says);
});
