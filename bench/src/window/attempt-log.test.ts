// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { judge, parseAttempts } from "./attempt-log.ts";

test.each([
  {
    name: "killed before it wrote anything",
    ended: { exitCode: 137, stdout: "", stderr: "" },
    window: { end: "stopped", startError: "", through: 0, openMs: 0, reopened: 0, firstNs: undefined },
  },
  {
    name: "killed later",
    ended: { exitCode: 137, stdout: "1000000 1500000 0\n2000000 3000000 0\n4000000 41", stderr: "" },
    window: { end: "stopped", through: 2, openMs: 2, reopened: 0, firstNs: 1_000_000n, lastNs: 3_000_000n },
  },
  {
    name: "refused from the first attempt on",
    ended: { exitCode: 0, stdout: "1 2 1\n3 4 1\n", stderr: "" },
    window: { end: "stopped", through: 0, openMs: 0, reopened: 0, firstNs: 1n, lastNs: undefined },
  },
  {
    name: "refused, and let through later",
    ended: { exitCode: 0, stdout: "1 2 1\n3 4 0\n5 6 1\n", stderr: "" },
    window: { end: "stopped", through: 1, reopened: 1 },
  },
  {
    name: "never stopped",
    ended: { exitCode: 0, stdout: "1 2 1\n3 4 0\n", stderr: "" },
    window: { end: "open", through: 1, reopened: 1 },
  },
  {
    name: "denied by the hook",
    ended: { exitCode: 1, stdout: "", stderr: "level=warning\nerror running hook #0\n" },
    window: { end: "not-started", startError: "error running hook #0", through: 0 },
  },
  {
    name: "whose first execution was refused",
    ended: { exitCode: 1, stdout: "", stderr: "exec /forbidden/attempts: operation not permitted" },
    window: { end: "stopped", through: 0 },
  },
])("a container $name", ({ ended, window }) => {
  expect(judge("exec", ended)).toMatchObject(window);
});

test("a line that is not whole is left out", () => {
  expect(parseAttempts("1 2 0\n3 4")).toEqual([{ beganNs: 1n, endedNs: 2n, isRefused: false }]);
});
