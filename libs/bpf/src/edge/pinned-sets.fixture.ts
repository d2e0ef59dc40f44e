// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "@rthooks/result/must";
import { embeddedPrograms } from "./embedded-programs.ts";
import { openProgramSet, type ProgramSet } from "./program-set.ts";

/** Sets of the programs that enforce, each with maps of its own, in a bpf file system for one test file. */
export function createPinnedSets(): {
  mount(): void;
  unmount(): void;
  openSet(): ProgramSet;
} {
  const pins = mkdtempSync(join(tmpdir(), "rth-rules-"));
  let count = 0;
  return {
    mount: () => run("mount", "-t", "bpf", "bpf", pins),
    unmount() {
      run("umount", pins);
      rmSync(pins, { recursive: true });
    },
    openSet() {
      const directory = join(pins, `d${++count}`);
      return must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: "/" }));
    },
  };
}

function run(...argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(stderr.toString());
}
