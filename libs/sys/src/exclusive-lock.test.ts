// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockDirectory, lockFile } from "./exclusive-lock.ts";

const directory = mkdtempSync(join(tmpdir(), "rth-lock-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("an exclusive lock", () => {
  test("on a directory is refused with its holder's process id until it is released", () => {
    const path = join(directory, "taken");
    mkdirSync(path);
    const first = lockDirectory(path);
    if (!first.ok) throw new Error("not locked");
    expect(lockDirectory(path)).toEqual({ ok: false, error: { kind: "held", pid: process.pid } });
    first.value.release();
    const second = lockDirectory(path);
    expect(second.ok).toBeTrue();
    if (second.ok) second.value.release();
  });

  test("ends with a process that is killed", async () => {
    const path = join(directory, "killed");
    mkdirSync(path);
    const module = JSON.stringify(join(import.meta.dir, "exclusive-lock.ts"));
    const script = `const { lockDirectory } = await import(${module});
      console.log(lockDirectory(${JSON.stringify(path)}).ok); setInterval(() => {}, 1000);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    const { value } = await child.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("true\n");
    expect(lockDirectory(path)).toEqual({ ok: false, error: { kind: "held", pid: child.pid } });
    child.kill("SIGKILL");
    await child.exited;
    const next = lockDirectory(path);
    expect(next.ok).toBeTrue();
    if (next.ok) next.value.release();
  });

  test("is not handed to a child process", async () => {
    const path = join(directory, "inherited");
    mkdirSync(path);
    const first = lockDirectory(path);
    if (!first.ok) throw new Error("not locked");
    const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
    // Its descriptors are closed a moment after its new program is there.
    const listFiles = () => readdirSync(`/proc/${child.pid}/fd`);
    while (listFiles().length > 3) await Bun.sleep(1);
    first.value.release();
    const second = lockDirectory(path);
    child.kill();
    await child.exited;
    expect(second.ok).toBeTrue();
    if (second.ok) second.value.release();
  });

  test("on a file makes it, for its owner alone", () => {
    const path = join(directory, "a.lock");
    const locked = lockFile(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lockFile(path)).toEqual({ ok: false, error: { kind: "held", pid: process.pid } });
    if (locked.ok) locked.value.release();
    expect(existsSync(path)).toBeTrue();
  });

  test("knows when something else is in the place of what it locked", () => {
    const path = join(directory, "replaced");
    mkdirSync(path);
    const locked = lockDirectory(path);
    if (!locked.ok) throw new Error("not locked");
    expect(locked.value.isInPlace()).toBeTrue();
    renameSync(path, `${path}-away`);
    expect(locked.value.isInPlace()).toBeFalse();
    mkdirSync(path);
    expect(locked.value.isInPlace()).toBeFalse();
    locked.value.release();
  });

  test("of a place that is not there is an error", () => {
    const path = join(directory, "nowhere");
    expect(lockDirectory(path)).toEqual({
      ok: false,
      error: { kind: "unusable", message: expect.stringContaining(path) },
    });
  });
});
