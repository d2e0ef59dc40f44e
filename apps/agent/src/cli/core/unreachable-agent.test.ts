// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { describeUnreachable } from "./unreachable-agent.ts";

const grpcText = (error: string): string =>
  `No connection established. Last error: Error: ${error}. Resolution note: .`;

test.each([
  { details: grpcText("connect ENOENT /a.sock"), says: "the socket does not exist; is the agent running" },
  { details: grpcText("connect ECONNREFUSED /a.sock"), says: "connection refused; is the agent running" },
  { details: grpcText("connect EACCES /a.sock"), says: "permission denied; run this as root" },
  { details: grpcText("connect EHOSTUNREACH 192.0.2.1:1"), says: "EHOSTUNREACH; is the agent running" },
  { details: "Name resolution failed for target dns:x:1", says: "its host name cannot be resolved" },
  { details: "", says: "connection closed" },
  { details: "Connection dropped", says: "Connection dropped" },
])("$details", ({ details, says }) => {
  const text = describeUnreachable("unix:///a.sock", details);
  expect(text).toStartWith("cannot reach the agent at unix:///a.sock: ");
  expect(text).toContain(says);
  expect(text).not.toContain("Resolution note");
});
