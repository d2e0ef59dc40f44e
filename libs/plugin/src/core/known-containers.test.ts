// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { Container, ContainerState, PodSandbox } from "@rthooks/proto/nri";
import { createKnownContainers } from "./known-containers.ts";

const sandbox = (id: string): PodSandbox => ({ ...PodSandbox.decode(new Uint8Array()), id });
const container = (
  id: string,
  podSandboxId: string,
  state: ContainerState = ContainerState.CONTAINER_RUNNING,
): Container => ({
  ...Container.decode(new Uint8Array()),
  id,
  podSandboxId,
  state,
});
const put = (known: ReturnType<typeof createKnownContainers>, id: string, podSandboxId: string) =>
  known.put({
    sandbox: sandbox(podSandboxId),
    container: container(id, podSandboxId),
    heldBy: "plugin",
    containerBytes: 100,
  });
const ids = (known: ReturnType<typeof createKnownContainers>) =>
  known.list().map((entry) => entry.container.id);

test("what is removed is gone, and was known or not", () => {
  const known = createKnownContainers();
  put(known, "a", "pod");
  expect([known.size, known.remove("a"), known.remove("a"), known.size]).toEqual([1, true, false, 0]);
});

test("with a sandbox go its containers and no others", () => {
  const known = createKnownContainers();
  put(known, "a", "one");
  put(known, "b", "two");
  put(known, "c", "one");
  expect(known.removeSandbox("one")).toEqual(["a", "c"]);
  expect(ids(known)).toEqual(["b"]);
});

test("a synchronization replaces all, and tells what ended meanwhile", () => {
  const known = createKnownContainers();
  for (const id of ["kept", "gone", "stopped"]) put(known, id, "one");
  const ended = known.replaceAll({
    pods: [sandbox("one")],
    containers: [
      container("kept", "one"),
      container("stopped", "one", ContainerState.CONTAINER_STOPPED),
      container("stopped-before", "one", ContainerState.CONTAINER_STOPPED),
      container("new", "one"),
      container("unknown-state", "one", ContainerState.CONTAINER_UNKNOWN),
      container("without-sandbox", "two"),
    ],
    sizes: new Map([["one", 7] as const, ["new", 70] as const]),
    omitted: 0,
  });
  expect(ended.toSorted()).toEqual(["gone", "stopped", "stopped-before"]);
  expect(ids(known)).toEqual(["kept", "new", "unknown-state"]);
  // Nobody knows any more what held it.
  expect(known.find("kept")?.heldBy).toBe("nothing");
  expect(known.sizesWithout("kept")).toEqual({ pods: [7], containers: [70, 0] });
});

test("sizes are those of all sandboxes and of the other containers", () => {
  const known = createKnownContainers();
  for (const id of ["one", "two", "empty"]) known.putSandbox(id, 10);
  put(known, "a", "one");
  put(known, "b", "one");
  put(known, "c", "two");
  expect(known.sizesWithout("c")).toEqual({ pods: [10, 10, 10], containers: [100, 100] });
  expect([known.hasSandbox("two"), known.hasSandbox("three")]).toEqual([true, false]);
  known.removeSandbox("two");
  known.removeSandbox("empty");
  expect(known.sizesWithout("new")).toEqual({ pods: [10], containers: [100, 100] });
});
