// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { decideServing, type Reach } from "./health.ts";

const stale = { isBlocking: false };
const blocking = { isBlocking: true };

test.each<{
  name: string;
  reach: Reach;
  problems: readonly { isBlocking: boolean }[];
  live: boolean;
  ready: boolean;
}>([
  { name: "answers", reach: "answers", problems: [], live: true, ready: true },
  { name: "has a source that is stale", reach: "answers", problems: [stale], live: true, ready: true },
  { name: "has a blocking problem", reach: "answers", problems: [stale, blocking], live: true, ready: false },
  { name: "is slow", reach: "slow", problems: [], live: true, ready: false },
  { name: "cannot be reached", reach: "unreachable", problems: [], live: false, ready: false },
])("an agent that $name", ({ reach, problems, live, ready }) => {
  expect(Object.fromEntries(decideServing(reach, problems))).toEqual({
    ...{ liveness: live, readiness: ready, "": ready },
  });
});
