// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FilteredContainer } from "@rthooks/policy";
import { createCgroupResolver } from "../../cgroups/edge/cgroup-resolver.ts";
import { sweepInherited } from "./sweep-inherited.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-inherited-"));
afterAll(() => rmSync(directory, { recursive: true }));

function open(root: string, names: readonly string[]) {
  for (const name of names) mkdirSync(join(root, name), { recursive: true });
  const idOf = (name: string): bigint => statSync(join(root, name), { bigint: true }).ino;
  const left = new Set(names.map(idOf));
  const containers: FilteredContainer[] = [];
  const resolver = createCgroupResolver({
    path: root,
    mode: "given",
    isCgroupFileSystem: false,
    v1Roots: [],
  });
  let sweeps = 0;
  const forgotten: bigint[] = [];
  const covered = new Map<bigint, bigint>();
  const stop = sweepInherited({
    filter: {
      inheritedCgroupIds: () => {
        sweeps++;
        return left;
      },
      removeInherited: (ids) => {
        for (const id of ids) if (left.delete(id)) forgotten.push(id);
      },
      removeCovered: (found) => {
        for (const [id, above] of found) covered.set(id, above);
      },
      list: () => containers,
    },
    cgroupRoot: root,
    isSeen: () => resolver.problem() === "",
    intervalMs: 1,
  });
  const waitForSweeps = async (): Promise<void> => {
    for (const until = sweeps + 3; sweeps < until; ) await Bun.sleep(1);
  };
  return { idOf, left, containers, forgotten, covered, stop, waitForSweeps };
}

test("a cgroup that is gone is forgotten, and none while the hierarchy cannot be seen", async () => {
  const root = join(directory, "root");
  const { idOf, left, forgotten, stop, waitForSweeps } = open(root, ["a", "b/inner"]);
  await waitForSweeps();
  renameSync(root, `${root}-away`);
  await waitForSweeps();
  mkdirSync(root);
  await waitForSweeps();
  expect(forgotten).toEqual([]);
  rmdirSync(root);
  renameSync(`${root}-away`, root);
  const gone = idOf("a");
  rmdirSync(join(root, "a"));
  await waitForSweeps();
  expect([forgotten, [...left]]).toEqual([[gone], [idOf("b/inner")]]);
  stop();
});

test("a cgroup below that of a known container is forgotten, and one below another cgroup is told with it", async () => {
  const names = ["pod/c1", "pod/c1/inner", "pod/c1/x/deep", "pod/c2", "pod/c2/inner"];
  const opened = open(join(directory, "nested"), names);
  const { idOf, left, containers, forgotten, covered, stop, waitForSweeps } = opened;
  await waitForSweeps();
  expect(forgotten).toEqual([]);
  const ofSecond = [idOf("pod/c2/inner"), idOf("pod/c2")] as const;
  expect(covered).toEqual(
    new Map([[idOf("pod/c1/inner"), idOf("pod/c1")], [idOf("pod/c1/x/deep"), idOf("pod/c1")], ofSecond]),
  );
  containers.push({
    ...{ containerId: "c1", containerName: "app", image: "", cgroupId: idOf("pod/c1"), podUid: undefined },
    ...{ podName: "", namespace: "", labels: new Map(), hasAllLabels: false },
  });
  await waitForSweeps();
  expect(new Set(forgotten)).toEqual(new Set([idOf("pod/c1/inner"), idOf("pod/c1/x/deep")]));
  expect(left).toEqual(new Set([idOf("pod/c1"), idOf("pod/c2"), idOf("pod/c2/inner")]));
  stop();
});
