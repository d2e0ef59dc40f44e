// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSocketPathTooLong, MAX_SOCKET_PATH_BYTES } from "./socket-path.ts";
import { findListenerPid, probeSocket } from "./unix-socket.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "rthooks-unix-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("a socket is listening, also under another name, and absent after its program has closed it", async () => {
  const path = join(directory, "a.sock");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  expect(await probeSocket(path)).toBe("listening");
  expect(findListenerPid(path)).toBe(process.pid);
  renameSync(path, `${path}.moved`);
  expect(findListenerPid(`${path}.moved`)).toBe(process.pid);
  renameSync(`${path}.moved`, path);
  await new Promise((resolve) => server.close(resolve));
  expect(await probeSocket(path)).toBe("absent");
  expect(findListenerPid(path)).toBeUndefined();
});

test("what a killed program leaves, and a file that is not a socket, refuse", async () => {
  const path = join(directory, "killed.sock");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
  await Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "ignore", "ignore"] }).exited;
  expect(await probeSocket(path)).toBe("refused");
  const file = join(directory, "file");
  writeFileSync(file, "");
  expect(await probeSocket(file)).toBe("refused");
});

test("a path is limited by its bytes, not by its characters", async () => {
  const longest = `/${"x".repeat(MAX_SOCKET_PATH_BYTES - 1)}`;
  expect(isSocketPathTooLong(longest)).toBe(false);
  expect(await probeSocket(longest)).toBe("absent");
  for (const path of [`${longest}x`, `/${"ü".repeat(54)}`]) {
    expect(isSocketPathTooLong(path)).toBe(true);
    expect(await probeSocket(path)).toBe("unknown");
    expect(findListenerPid(path)).toBeUndefined();
  }
});
