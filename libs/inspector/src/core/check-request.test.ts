// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type Access, checkRequest, type RequestFacts } from "./check-request.ts";

const open: Access = { isLoopback: true, port: 9101, needsToken: false };
const closed: Access = { ...open, needsToken: true };
const request: RequestFacts = {
  method: "GET",
  host: "localhost:9101",
  origin: undefined,
  hasToken: false,
};
const statusOf = (access: Access, changes: Partial<RequestFacts>): number =>
  checkRequest(access, { ...request, ...changes })?.status ?? 200;

describe("without a token", () => {
  test.each([
    ["its own names", {}, 200],
    ["an IPv4 address", { host: "127.0.0.1:9101" }, 200],
    ["an IPv6 address", { host: "[::1]:9101" }, 200],
    ["HEAD", { method: "HEAD" }, 200],
    ["its own origin", { origin: "http://localhost:9101" }, 200],
    ["another method", { method: "POST" }, 405],
    ["another name", { host: "attacker.example:9101" }, 403],
    ["a name that begins like its own", { host: "localhost.attacker.example:9101" }, 403],
    ["another port", { host: "localhost:80" }, 403],
    ["no port", { host: "localhost" }, 403],
    ["no name", { host: "" }, 403],
    ["another origin", { origin: "http://attacker.example" }, 403],
    ["another scheme", { origin: "https://localhost:9101" }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["another port's origin", { origin: "http://localhost:9102" }, 403],
  ])("a request with %s", (_, changes, status) => {
    expect(statusOf(open, changes)).toBe(status);
  });
});

describe("with a token", () => {
  test.each([
    ["without it", {}, 401],
    ["with it", { hasToken: true }, 200],
    [
      "with it, of another origin and name",
      { hasToken: true, origin: "https://x.example", host: "node-1:9101" },
      200,
    ],
    ["with it, by another method", { hasToken: true, method: "DELETE" }, 405],
  ])("a request %s", (_, changes, status) => {
    expect(statusOf(closed, changes)).toBe(status);
  });
});

test("without a token nothing is answered off loopback", () => {
  expect(statusOf({ ...open, isLoopback: false }, { host: "10.0.0.1:9101" })).toBe(403);
});
