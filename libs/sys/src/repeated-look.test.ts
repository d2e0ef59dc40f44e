// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DirectoryWatch, openDirectoryWatch } from "./directory-watch.ts";
import { type LookTimes, type RepeatedLook, repeatLook } from "./repeated-look.ts";

const base = mkdtempSync(join(tmpdir(), "rthooks-look-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const NEVER_MS = 2 ** 31 - 1;
const byEvents: LookTimes = { activeMs: 10, watchedMs: NEVER_MS, unwatchedMs: NEVER_MS };

/** Of all inotify descriptors of this process. */
function countWatches(): number {
  let count = 0;
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== "anon_inode:inotify") continue;
      const watches = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").match(/^inotify wd:/gm)?.length ?? 0;
      count = Math.max(count, watches);
    } catch {
      // It was closed meanwhile.
    }
  }
  return count;
}

describe("a repeated look", () => {
  let directories: DirectoryWatch;
  let directory = "";
  let open: RepeatedLook | undefined;
  let looks = 0;
  let answer: "quiet" | "active" = "quiet";
  const path = (name: string): string => join(directory, name);

  const begin = (paths: readonly string[], times = byEvents): void => {
    open = repeatLook({
      directories,
      times,
      paths: () => paths,
      look: async () => {
        looks++;
        return answer;
      },
    });
  };
  /** Until no look comes any more. */
  const settle = async (): Promise<void> => {
    for (let before = -1; before !== looks; ) {
      before = looks;
      await Bun.sleep(150);
    }
  };
  const untilLookAfter = async (change: () => void): Promise<void> => {
    await settle();
    const before = looks;
    change();
    while (looks === before) await Bun.sleep(5);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(base, "d-"));
    directories = openDirectoryWatch();
    looks = 0;
    answer = "quiet";
  });
  afterEach(async () => {
    await open?.close();
    directories.close();
  });

  test("follows a file that is written, replaced, cut and removed, and one that is not there yet", async () => {
    begin([path("a")]);
    await untilLookAfter(() => writeFileSync(path("a"), "1"));
    await untilLookAfter(() => writeFileSync(path("a"), "22"));
    await untilLookAfter(() => {
      writeFileSync(path("a.new"), "333");
      renameSync(path("a.new"), path("a"));
    });
    await untilLookAfter(() => truncateSync(path("a"), 0));
    await untilLookAfter(() => rmSync(path("a")));
  });

  test("follows a ConfigMap's swap of a directory link", async () => {
    for (const name of ["v1", "v2"]) {
      mkdirSync(path(name));
      writeFileSync(join(path(name), "a"), name);
    }
    symlinkSync("v1", path("..data"));
    symlinkSync("..data/a", path("a"));
    begin([path("a")]);
    await untilLookAfter(() => {
      symlinkSync("v2", path("..data_tmp"));
      renameSync(path("..data_tmp"), path("..data"));
    });
    // In the new directory too.
    await untilLookAfter(() => writeFileSync(join(path("v2"), "a"), "written"));
  });

  test("follows a link to a file elsewhere, and a directory whose parents are made later", async () => {
    const other = mkdtempSync(join(base, "other-"));
    writeFileSync(join(other, "a"), "");
    symlinkSync(join(other, "a"), path("a"));
    const late = path("late/deep");
    begin([path("a"), late]);
    await untilLookAfter(() => writeFileSync(join(other, "a"), "x"));
    await untilLookAfter(() => mkdirSync(path("late")));
    await untilLookAfter(() => mkdirSync(late));
    await untilLookAfter(() => writeFileSync(join(late, "b"), "x"));
  });

  test("follows a directory that is renamed away and back", async () => {
    const inner = path("inner");
    mkdirSync(inner);
    begin([inner]);
    await untilLookAfter(() => renameSync(inner, path("away")));
    await untilLookAfter(() => renameSync(path("away"), inner));
    await untilLookAfter(() => writeFileSync(join(inner, "b"), "x"));
  });

  test("looks again for a change that comes while it looks", async () => {
    const block = Promise.withResolvers<"quiet">();
    open = repeatLook({
      directories,
      times: byEvents,
      paths: () => [directory],
      // The third is the first one that starts with a watch.
      look: () => (++looks === 3 ? block.promise : Promise.resolve("quiet")),
    });
    await untilLookAfter(() => writeFileSync(path("first"), ""));
    writeFileSync(path("second"), "");
    await Bun.sleep(50);
    block.resolve("quiet");
    while (looks < 4) await Bun.sleep(5);
  });

  test("goes on by time while something is not as it should be, and stops when it is", async () => {
    answer = "active";
    begin([directory]);
    while (looks < 5) await Bun.sleep(5);
    answer = "quiet";
    await settle();
  });

  test("does not look more often than it should, however often something changes", async () => {
    begin([directory], { ...byEvents, activeMs: 100 });
    await settle();
    const before = looks;
    const beganMs = performance.now();
    for (let at = 0; at < 100; at++) {
      writeFileSync(path("busy"), String(at));
      await Bun.sleep(5);
    }
    expect(looks - before).toBeGreaterThan(0);
    expect(looks - before).toBeLessThanOrEqual((performance.now() - beganMs) / 100 + 1);
  });

  test("looks by time where changes raise no events", async () => {
    // procfs has files that change by themselves.
    begin(["/proc/self/status"], { ...byEvents, unwatchedMs: 20 });
    while (looks < 5) await Bun.sleep(5);
    expect(countWatches()).toBe(0);
  });

  test("looks now and then in any case", async () => {
    begin([directory], { ...byEvents, watchedMs: 20 });
    while (looks < 5) await Bun.sleep(5);
  });

  test("ends with the first quiet look where there are no paths", async () => {
    begin([], { activeMs: 5, watchedMs: 5, unwatchedMs: 5 });
    await open?.first;
    await Bun.sleep(100);
    expect(looks).toBe(1);
  });

  test("leaves no watch and looks no more when it is closed", async () => {
    const toActiveMs = (): number => (looks < 2 ? 10 : NEVER_MS);
    begin([directory], {
      ...byEvents,
      get activeMs() {
        return toActiveMs();
      },
    });
    await settle();
    expect(countWatches()).toBeGreaterThan(0);
    expect(countWatches()).toBeGreaterThan(0);
    // Not after the pause that comes between two looks.
    await open?.close();
    expect(countWatches()).toBe(0);
    const before = looks;
    writeFileSync(path("late"), "");
    await Bun.sleep(100);
    expect(looks).toBe(before);
  });
});
