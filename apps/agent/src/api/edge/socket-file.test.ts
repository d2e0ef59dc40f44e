// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SocketFile, stageSocket } from "./socket-file.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-socket-"));
afterAll(() => rmSync(directory, { recursive: true }));

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

async function listen(path: string): Promise<{ server: Server; file: SocketFile }> {
  const staged = await stageSocket(path);
  if (!staged.ok) throw new Error(staged.error);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(staged.value.stagingPath, resolve));
  return { server, file: staged.value.publish() };
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

describe("the socket", () => {
  test("is 0660 in a directory that is made 0755, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      const path = join(directory, "made", "deep", "a.sock");
      const { server, file } = await listen(path);
      expect(mode(path)).toBe("660");
      expect(mode(join(directory, "made", "deep"))).toBe("755");
      expect(readdirSync(join(directory, "made", "deep"))).toEqual(["a.sock"]);
      file.remove();
      expect(existsSync(path)).toBeFalse();
      await close(server);
    } finally {
      process.umask(umask);
    }
  });

  test("leaves a directory that exists as it is", async () => {
    const own = join(directory, "own");
    mkdirSync(own);
    chmodSync(own, 0o700);
    const { server, file } = await listen(join(own, "a.sock"));
    expect(mode(own)).toBe("700");
    file.remove();
    await close(server);
  });

  test("is staged on the file system of its directory, which may be a mount", async () => {
    const staged = await stageSocket(join(directory, "mount", "a.sock"));
    if (!staged.ok) throw new Error(staged.error);
    expect(staged.value.stagingPath).toMatch(new RegExp(`^${join(directory, "mount")}/\\.\\w+/s$`));
    staged.value.discard();
    expect(readdirSync(join(directory, "mount"))).toEqual([]);
  });

  test("takes the place of one that nobody listens on", async () => {
    const path = join(directory, "stale.sock");
    const child = Bun.spawn(
      [
        process.execPath,
        "-e",
        `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`,
      ],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
    await child.exited;
    expect(existsSync(path)).toBeTrue();
    const stale = statSync(path).ino;
    const { server, file } = await listen(path);
    expect(statSync(path).ino).not.toBe(stale);
    file.remove();
    await close(server);
  });

  test("does not take the place of a live one, and says who holds it", async () => {
    const path = join(directory, "live.sock");
    const { server, file } = await listen(path);
    const second = await stageSocket(path);
    expect(second.ok ? "" : second.error).toContain(`process ${process.pid} (`);
    file.remove();
    await close(server);
  });

  test("is not removed when another agent has put its own there", async () => {
    const path = join(directory, "taken.sock");
    const first = await listen(path);
    rmSync(path);
    const second = await listen(path);
    first.file.remove();
    expect(existsSync(path)).toBeTrue();
    second.file.remove();
    expect(existsSync(path)).toBeFalse();
    await close(first.server);
    await close(second.server);
  });

  test.each([
    { name: "a regular file", make: (path: string) => writeFileSync(path, "precious") },
    { name: "a directory", make: (path: string) => mkdirSync(path) },
    { name: "a symbolic link", make: (path: string) => symlinkSync("/nowhere", path) },
  ])("does not take the place of $name", async ({ name, make }) => {
    const path = join(directory, name.replaceAll(" ", "-"));
    make(path);
    const before = readdirSync(directory);
    const staged = await stageSocket(path);
    expect(staged.ok ? "" : staged.error).toContain(`is ${name}, not a socket`);
    expect(readdirSync(directory)).toEqual(before);
  });

  test("a place that cannot be is an error", async () => {
    const staged = await stageSocket("/proc/nowhere/a.sock");
    expect(staged.ok ? "" : staged.error).toContain("/proc/nowhere/a.sock");
  });
});
