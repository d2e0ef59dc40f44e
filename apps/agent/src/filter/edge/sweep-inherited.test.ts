// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCgroupResolver } from "../../cgroups/edge/cgroup-resolver.ts";
import { sweepInherited } from "./sweep-inherited.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-inherited-"));
afterAll(() => rmSync(directory, { recursive: true }));

test("a cgroup that is gone is forgotten, and none while the hierarchy cannot be seen", async () => {
  const root = join(directory, "root");
  for (const name of ["a", "b/inner"]) mkdirSync(join(root, name), { recursive: true });
  const idOf = (name: string): bigint => statSync(join(root, name), { bigint: true }).ino;
  const left = new Set([idOf("a"), idOf("b/inner")]);
  const resolver = createCgroupResolver({
    path: root,
    mode: "given",
    isCgroupFileSystem: false,
    v1Roots: [],
  });
  let sweeps = 0;
  const forgotten: bigint[] = [];
  const stop = sweepInherited({
    filter: {
      inheritedCgroupIds: () => {
        sweeps++;
        return left;
      },
      removeInherited: (ids) => {
        for (const id of ids) if (left.delete(id)) forgotten.push(id);
      },
    },
    cgroupRoot: root,
    isSeen: () => resolver.problem() === "",
    intervalMs: 1,
  });
  const waitForSweeps = async (): Promise<void> => {
    for (const until = sweeps + 3; sweeps < until; ) await Bun.sleep(1);
  };
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
