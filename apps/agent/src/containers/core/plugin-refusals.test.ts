// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { ContainerRecord } from "./container-record.ts";
import { createPluginRefusals } from "./plugin-refusals.ts";

const record = (id: string, state: string): ContainerRecord => ({
  id,
  name: "app",
  image: "",
  podUid: "",
  podName: "",
  podNamespace: "",
  podLabels: new Map(),
  cgroupPath: "",
  cgroupId: 0n,
  state,
  source: "nri",
  reportedAtNanos: 0n,
  errorKind: "cgroup-missing",
  error: "no such cgroup",
});

test("only a container that failed has the plugin's reason", () => {
  const refusals = createPluginRefusals();
  refusals.add("a", "no answer in time");
  expect(refusals.explain(record("a", "failed")).error).toBe("denied by the NRI plugin: no answer in time");
  expect(refusals.explain(record("a", "released")).error).toBe("no such cgroup");
  expect(refusals.explain(record("b", "failed")).error).toBe("no such cgroup");
});

test("the number and the length of reasons are limited", () => {
  const refusals = createPluginRefusals();
  for (let n = 0; n < 1001; n++) refusals.add(`c${n}`, "x".repeat(10_000));
  expect(refusals.explain(record("c0", "failed")).error).toBe("no such cgroup");
  expect(refusals.explain(record("c1", "failed")).error.length).toBeLessThan(600);
});
