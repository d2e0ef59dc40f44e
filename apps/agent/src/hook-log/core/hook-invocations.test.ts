// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { HookInvocation } from "@rthooks/explain";
import { createHookInvocations } from "./hook-invocations.ts";

const invocation = (containerId: string, startedMs = 0): HookInvocation => ({
  ...{
    containerId,
    startedMs,
    durationMs: 1,
    namespace: "shop",
    pod: "web-0",
    podUid: "u",
    container: "web",
  },
  ...{ image: "", cgroup: "", by: "hook", phases: [], outcome: "released", failure: undefined },
});

test("the last invocation of a container is found", () => {
  const invocations = createHookInvocations();
  invocations.add(invocation("c1", 1));
  invocations.add(invocation("c2", 2));
  invocations.add(invocation("c1", 3));
  expect(invocations.find("c1")?.startedMs).toBe(3);
  expect(invocations.find("c3")).toBeUndefined();
  expect([...invocations.list()].map(({ containerId }) => containerId)).toEqual(["c2", "c1"]);
});

test("invocations without a container's id are not found", () => {
  const invocations = createHookInvocations();
  invocations.add(invocation(""));
  expect(invocations.find("")).toBeUndefined();
});

test("the oldest are forgotten", () => {
  const invocations = createHookInvocations();
  for (let n = 0; n < 2001; n++) invocations.add(invocation(`c${n}`));
  expect(invocations.find("c0")).toBeUndefined();
  expect(invocations.find("c1")?.containerId).toBe("c1");
  // One that comes again is the newest.
  invocations.add(invocation("c1"));
  invocations.add(invocation("new"));
  expect([invocations.find("c1")?.containerId, invocations.find("c2")]).toEqual(["c1", undefined]);
});
