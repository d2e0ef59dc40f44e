// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { type ContainerChange, createContainerChanges } from "./container-changes.ts";
import { open, retentionMs } from "./lifecycle.fixture.ts";
import { toDeniedRecord } from "./unrecorded-container.ts";

/** A lifecycle, and one who watches it. */
function watch() {
  const opened = open();
  const { lifecycle } = opened;
  let observers = 0;
  let finds = 0;
  const changes = createContainerChanges({
    list: lifecycle.list,
    find(containerId) {
      finds++;
      return lifecycle.find(containerId);
    },
    observe(inspect) {
      observers++;
      const stop = lifecycle.observe(inspect);
      return () => {
        observers--;
        stop();
      };
    },
    nowNanos: () => 5n,
  });
  const seen: ContainerChange[] = [];
  const subscribe = () => changes.subscribe((change) => void seen.push(change));
  const lines = () =>
    seen.splice(0).map(({ container, from, to, event }) => `${container.id}: ${from} > ${to} (${event})`);
  return { ...opened, changes, subscribe, lines, observers: () => observers, finds: () => finds };
}

/** What waits for the end of the running code has run. */
const settle = async (): Promise<void> => {
  await Promise.resolve();
  await Promise.resolve();
};

test("the steps of one turn are one change, with the last event", async () => {
  const { cgroups, report, subscribe, lines, lifecycle } = watch();
  expect(subscribe().recorded).toEqual([]);
  cgroups.set("/kubepods/x/c1", 7n);
  report({});
  await settle();
  expect(lines()).toEqual(["c1:  > released (answer.sent)"]);
  report({});
  await settle();
  expect(lines()).toEqual([]);
  cgroups.delete("/kubepods/x/c1");
  lifecycle.checkCgroup("c1");
  await settle();
  expect(lines()).toEqual(["c1: released > gone (cgroup.vanished)"]);
});

test("a refused container fails, and is gone when its failure is forgotten", async () => {
  const { report, subscribe, lines, clock } = watch();
  subscribe();
  report({ containerId: "none", cgroupsPath: "/kubepods/x/none" });
  await settle();
  expect(lines()).toEqual(["none:  > failed (cgroup.refused)"]);
  clock.increment(retentionMs);
  await settle();
  expect(lines()).toEqual(["none: failed > gone (xstate.after.failureRetention.container.failed)"]);
});

test("a container on record at the start has its state before the change", async () => {
  const { cgroups, report, subscribe, lines, lifecycle } = watch();
  cgroups.set("/kubepods/x/c1", 7n);
  report({});
  expect(subscribe().recorded.map(({ id, state }) => `${id} ${state}`)).toEqual(["c1 released"]);
  cgroups.delete("/kubepods/x/c1");
  lifecycle.checkCgroup("c1");
  await settle();
  expect(lines()).toEqual(["c1: released > gone (cgroup.vanished)"]);
});

test("a refusal of what is not on record is a change of its own, and is forgotten", async () => {
  const { changes, subscribe, lines } = watch();
  subscribe();
  for (const _ of [1, 2]) {
    changes.refuse(() => toDeniedRecord("c9", "too large"), "denied");
    await settle();
    expect(lines()).toEqual(["c9:  > failed (denied)"]);
  }
});

test("without a subscriber the machines are not observed, and no record is made", async () => {
  const { changes, subscribe, lines, observers, finds } = watch();
  const first = subscribe();
  const second = subscribe();
  expect(observers()).toBe(1);
  first.unsubscribe();
  first.unsubscribe();
  expect(observers()).toBe(1);
  second.unsubscribe();
  expect(observers()).toBe(0);
  changes.refuse(() => {
    throw new Error("a record was made");
  }, "denied");
  changes.touch("c1", "x");
  await settle();
  expect(finds()).toBe(0);
  expect(lines()).toEqual([]);
});
