// SPDX-License-Identifier: Apache-2.0
// Pins of the kernel's own maps, on a bpf file system that goes and comes.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BpfMap, openBpf } from "@rthooks/bpf";
import { type BpfDirectory, claimBpfDirectory } from "./claim-bpf-directory.ts";
import { createPinKeeper } from "./keep-pins.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const bpf = opened.value;
const spec = { type: "hash", name: "kept", keySize: 4, valueSize: 4, maxEntries: 4 } as const;
const run = (...argv: readonly string[]): void => void Bun.spawnSync([...argv]);
let root: string;
let lines: string[];
let directory: BpfDirectory;
let map: BpfMap;
const note = (text: string): void => void lines.push(text);
const log = { debug: note, info: note, warn: note, error: note };

function claim(): BpfDirectory {
  const claimed = claimBpfDirectory(join(root, "t"), log);
  if (!claimed.ok) throw new Error(JSON.stringify(claimed.error));
  return claimed.value;
}

beforeEach(() => {
  lines = [];
  root = mkdtempSync(join(tmpdir(), "rth-pins-"));
  run("mount", "-t", "bpf", "bpf", root);
  directory = claim();
  const made = bpf.createMap(spec);
  if (!made.ok) throw new Error("no map");
  map = made.value;
  map.pin(join(root, "t", "kept"));
});
afterEach(() => {
  directory.release();
  map.close();
  run("umount", root);
  run("umount", root);
  rmSync(root, { recursive: true });
});

const pinnedId = (): number | undefined => {
  const found = bpf.openPinned(join(root, "t", "kept"));
  if (!found.ok || found.value === undefined) return undefined;
  found.value.close();
  return found.value.info.id;
};
const again = "pins were missing or replaced: the maps are pinned again";

test("nothing is done or told while all is well", () => {
  const keeper = createPinKeeper(bpf, directory, { kept: map }, log);
  keeper.check();
  expect([keeper.problem(), lines]).toEqual(["", []]);
});

test.each([
  { what: "a pin is removed", change: () => rmSync(join(root, "t", "kept")) },
  {
    what: "the directory is removed",
    change: () => rmSync(join(root, "t"), { recursive: true }),
  },
  {
    what: "another map is pinned there",
    change: () => {
      rmSync(join(root, "t", "kept"));
      const other = bpf.createMap(spec);
      if (other.ok) other.value.pin(join(root, "t", "kept"));
      if (other.ok) other.value.close();
    },
  },
  { what: "the file system is mounted over", change: () => run("mount", "-t", "bpf", "bpf", root) },
  {
    what: "the file system is unmounted and mounted again",
    change: () => {
      run("umount", "-l", root);
      run("mount", "-t", "bpf", "bpf", root);
    },
  },
])("the maps are pinned again, and it is told, when $what", ({ change }) => {
  const keeper = createPinKeeper(bpf, directory, { kept: map }, log);
  change();
  expect(pinnedId()).not.toBe(map.info.id);
  keeper.check();
  expect(pinnedId()).toBe(map.info.id);
  expect(lines).toEqual([again]);
  expect(keeper.problem()).toContain("find out what removes them");
  // The new directory is this agent's too.
  expect(claimBpfDirectory(join(root, "t"), log)).toEqual({
    ok: false,
    error: { kind: "held", pid: process.pid },
  });
  expect(statSync(join(root, "t")).mode & 0o777).toBe(0o700);
  keeper.check();
  expect(lines).toHaveLength(1);
});

test("where the file system is gone that is a problem until it is there", () => {
  const keeper = createPinKeeper(bpf, directory, { kept: map }, log);
  run("umount", "-l", root);
  keeper.check();
  keeper.check();
  expect(keeper.problem()).toMatch(/^the maps are not pinned: OBJ_PIN .*mount -t bpf bpf DIR/);
  expect(lines).toEqual(["the maps are not pinned"]);
  run("mount", "-t", "bpf", "bpf", root);
  keeper.check();
  expect(pinnedId()).toBe(map.info.id);
  expect(lines.slice(1)).toEqual([again]);
});

test("a directory that another agent has by then is left to it", () => {
  const keeper = createPinKeeper(bpf, directory, { kept: map }, log);
  run("mount", "-t", "bpf", "bpf", root);
  const other = claim();
  keeper.check();
  expect(keeper.problem()).toContain(`${join(root, "t")} is in use by process ${process.pid}`);
  expect(readdirSync(join(root, "t"))).toEqual([]);
  other.release();
  keeper.check();
  expect(pinnedId()).toBe(map.info.id);
});

test("what cannot be opened for want of descriptors is not taken for something else", () => {
  mkdirSync(join(root, "t", "sub"));
  const refused = {
    ...bpf,
    openPinned: () =>
      ({
        ok: false,
        error: {
          command: "OBJ_GET",
          subject: "kept",
          code: "EMFILE",
          message: "too many open files",
          hint: "",
        },
      }) as const,
  };
  const keeper = createPinKeeper(refused, directory, { kept: map }, log);
  keeper.check();
  expect(keeper.problem()).toContain("too many open files");
  expect(readdirSync(join(root, "t")).toSorted()).toEqual(["kept", "sub"]);
  expect(pinnedId()).toBe(map.info.id);
});
