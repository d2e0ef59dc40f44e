// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

test("src/gen is what proto/ generates", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rthooks-generate-"));
  try {
    const child = Bun.spawn([process.execPath, join(root, "scripts/generate.ts"), directory]);
    expect(await child.exited).toBe(0);
    const files = [...new Bun.Glob("src/gen/**/*.ts").scanSync(directory)].sort();
    expect(files).toEqual([...new Bun.Glob("src/gen/**/*.ts").scanSync(root)].sort());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      expect(await readFile(join(root, file), "utf8")).toBe(await readFile(join(directory, file), "utf8"));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
