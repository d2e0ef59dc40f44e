// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseAgentAddress } from "./agent-address.ts";

test.each([
  { text: "unix:///var/run/t.sock", kind: "unix", at: "/var/run/t.sock", tls: undefined },
  { text: "unix:/var/run/t.sock", kind: "unix", at: "/var/run/t.sock", tls: undefined },
  { text: "localhost:54321", kind: "tcp", at: "localhost:54321", tls: false },
  { text: "[::1]:54321", kind: "tcp", at: "[::1]:54321", tls: false },
  { text: "dns:///agent:1", kind: "tcp", at: "agent:1", tls: false },
  { text: "tls://agent.example:443", kind: "tcp", at: "agent.example:443", tls: true },
])("$text", ({ text, kind, at, tls }) => {
  const address = parseAgentAddress(text);
  if (!address.ok) throw new Error(address.error);
  const { value } = address;
  expect<string>(value.kind).toBe(kind);
  expect(value.kind === "unix" ? value.path : value.target).toBe(at);
  expect(value.kind === "tcp" ? value.tls : undefined).toBe(tls);
  expect(value.text).toBe(text);
});

test.each([
  "",
  "/var/run/t.sock",
  "unix:",
  "unix://",
  "unix://host/x",
  "unix:relative",
  "unix:////x",
  "localhost",
  "host:",
  "http://host:1",
  "a b:1",
  ":1",
  "unix:///a\0b",
])("%p is refused", (text) => expect(parseAgentAddress(text).ok).toBe(false));
