// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseAddress, renderAddress } from "./address.ts";

test.each([
  { text: "unix:///run/t.sock", path: "/run/t.sock" },
  { text: "unix:/run/t.sock", path: "/run/t.sock" },
])("$text is a socket", ({ text, path }) => {
  expect(parseAddress(text)).toEqual({ ok: true, value: { kind: "unix", path } });
});

test.each([
  { text: "localhost:54321", scheme: "", host: "localhost", port: 54321 },
  { text: "localhost", scheme: "", host: "localhost", port: undefined },
  { text: ":80", scheme: "", host: "", port: 80 },
  { text: "10.0.0.1:0", scheme: "", host: "10.0.0.1", port: 0 },
  { text: "[::1]:80", scheme: "", host: "::1", port: 80 },
  { text: "[fe80::1%1]", scheme: "", host: "fe80::1%1", port: undefined },
  { text: "dns:///agent.local:80", scheme: "dns", host: "agent.local", port: 80 },
  { text: "passthrough:///agent:80", scheme: "passthrough", host: "agent", port: 80 },
  { text: "tls://agent:443", scheme: "tls", host: "agent", port: 443 },
] as const)("$text is a host", ({ text, ...address }) => {
  expect(parseAddress(text)).toEqual({ ok: true, value: { kind: "tcp", ...address } });
});

test.each([
  { text: "unix:", fault: "path" },
  { text: "unix:run/t.sock", fault: "path" },
  { text: "unix://host/t.sock", fault: "path" },
  { text: "unix:///a\0b", fault: "path" },
  { text: "", fault: "host or port" },
  { text: "/run/t.sock", fault: "host or port" },
  { text: "host:", fault: "host or port" },
  { text: "host:port", fault: "host or port" },
  { text: "host:99999", fault: "host or port" },
  { text: "a b:80", fault: "host or port" },
  { text: "::1:80", fault: "host or port" },
  { text: "[host]:80", fault: "host or port" },
  { text: "http://host:80", fault: "host or port" },
  { text: "dns://host:80", fault: "host or port" },
  { text: "tls:///host:80", fault: "host or port" },
])("%p is refused", ({ text, fault }) => {
  expect(parseAddress(text)).toEqual({ ok: false, error: fault });
});

test.each([
  { address: { kind: "unix", path: "/run/t.sock" }, text: "unix:///run/t.sock" },
  { address: { kind: "tcp", host: "::1", port: 80 }, text: "[::1]:80" },
  { address: { kind: "tcp", host: "localhost", port: 80 }, text: "localhost:80" },
] as const)("$text is dialed", ({ address, text }) => {
  expect(renderAddress(address)).toBe(text);
});
