// SPDX-License-Identifier: Apache-2.0
// The hook's log under many writers, across a rotation, and where it cannot be written.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { containerdAnnotations, createSpec, renderState, runHook, writeSpec } from "../harness/hook.ts";
import { type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { parseRecord } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("log");
const rotateBytes = 50 * 1024 * 1024;
const logName = "tetragon-oci-hook.log";
let umask = 0;
beforeAll(() => {
  // A log's mode must not depend on it.
  umask = process.umask(0);
});
afterAll(() => {
  process.umask(umask);
  return workspace.close();
});

const bundleOf = (name: string) =>
  writeSpec(
    workspace.path("bundles", name),
    createSpec(containerdAnnotations({ uid: "u", namespace: "shop", name: "web-0", container: name })),
  );

/** One hook that writes one line (`--disable-grpc`) or two (no agent: denied). */
function runLogged(logPath: string, name: string, lines: 1 | 2) {
  const agent = lines === 1 ? ["--disable-grpc"] : ["--grpc-timeout", "100ms"];
  const address = `unix://${workspace.path("nobody.sock")}`;
  return runHook(["createRuntime", "--log-fname", logPath, "--grpc-address", address, ...agent], {
    stdin: renderState(bundleOf(name)),
  });
}

/** Whole lines of 1,000 bytes that leave `free` bytes, or a little less, below the size of rotation. */
function prefill(logPath: string, free: number): number {
  const present = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  const count = Math.ceil((rotateBytes - present - free) / 1_000);
  const line = (n: number) => `${JSON.stringify({ prefilled: n, pad: "" }).padEnd(999, " ")}\n`;
  appendFileSync(logPath, Array.from({ length: count }, (_, n) => line(n)).join(""), { mode: 0o600 });
  return count;
}

/** True when the process waits in poll(2), as a hook does for its standard input. */
function isPolling(pid: number): boolean {
  // proc_pid_syscall(5) starts with the number of the system call: 7 poll, 271 ppoll, 232 epoll_wait (x86-64), 73 ppoll (arm64).
  return /^(7|271|232|73) /.test(readFileSync(`/proc/${pid}/syscall`, "utf8"));
}

/** A hook that is stopped while it waits for its state, which is there for it when it goes on. */
async function startStopped(logPath: string, name: string): Promise<RunningProcess> {
  const args = [findHook(), "createRuntime", "--log-fname", logPath, "--disable-grpc"];
  const hook = startProcess(args, { stdin: "open" }, workspace);
  await waitFor("the hook waits for its state", () => isPolling(hook.pid));
  hook.signal("SIGSTOP");
  hook.sendInput(renderState(bundleOf(name)));
  return hook;
}

function listBackups(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => /^tetragon-oci-hook-\d{4}-\d\d-\d\dT[\d.-]+\.log$/.test(name))
    .sort();
}

const stamp = (unixMs: number) => new Date(unixMs).toISOString().replaceAll(":", "-").replace("Z", "");

function writeBackup(dir: string, ageMs: number): string {
  const madeMs = Date.now() - ageMs;
  const name = `tetragon-oci-hook-${stamp(madeMs)}.log`;
  writeFileSync(join(dir, name), "{}\n", { mode: 0o600 });
  utimesSync(join(dir, name), madeMs / 1_000, madeMs / 1_000);
  return name;
}

const hour = 3_600_000;

describe("100 hooks at once, across a rotation", () => {
  test("every line is there once, and whole", async () => {
    const dir = workspace.path("busy");
    mkdirSync(dir);
    const logPath = join(dir, logName);
    const prefilled = prefill(logPath, 20_000);
    const names = Array.from({ length: 100 }, (_, n) => `container-${n}`);
    const results = await Promise.all(names.map((name, n) => runLogged(logPath, name, n % 2 === 0 ? 1 : 2)));
    expect(results.map(({ exitCode }) => exitCode)).toEqual(names.map((_, n) => n % 2));
    const backups = listBackups(dir);
    expect(backups).toHaveLength(1);
    const files = [...backups.map((name) => join(dir, name)), logPath];
    const records = files.flatMap((file) => {
      const text = readFileSync(file, "utf8");
      expect(text).toEndWith("\n");
      return text.slice(0, -1).split("\n").map(parseRecord);
    });
    expect(records.filter((record) => "prefilled" in record)).toHaveLength(prefilled);
    const ours = records.filter((record) => !("prefilled" in record));
    expect(
      ours
        .map((record) => record["req-containerName"])
        .filter((name) => name !== undefined)
        .sort(),
    ).toEqual([...names].sort());
    expect(ours.filter(({ msg }) => msg === "failing container")).toHaveLength(50);
    expect(ours).toHaveLength(150);
    // The rotation happened in the middle: both files hold lines of these hooks.
    expect(readFileSync(logPath, "utf8")).toContain("req-containerName");
    expect(readFileSync(files[0] ?? "", "utf8").slice(-40_000)).toContain("req-containerName");
    for (const file of files) expect(statSync(file).mode & 0o7777).toBe(0o600);
  }, 60_000);
});

describe("rotation", () => {
  test("happens once when many hooks find the file full at the same moment", async () => {
    const dir = workspace.path("barrier");
    mkdirSync(dir);
    const logPath = join(dir, logName);
    const names: string[] = [];
    for (const round of [1, 2, 3]) {
      prefill(logPath, 600);
      const hooks: RunningProcess[] = [];
      for (let n = 0; n < 30; n++) {
        const name = `round-${round}-${n}`;
        names.push(name);
        hooks.push(await startStopped(logPath, name));
      }
      // All of them are past their start, and have their state at once.
      for (const hook of hooks) hook.signal("SIGCONT");
      for (const { exited } of hooks) expect(await exited).toMatchObject({ exitCode: 0, stderr: "" });
      expect(listBackups(dir)).toHaveLength(round);
    }
    const text = [...listBackups(dir), logName].map((name) => readFileSync(join(dir, name), "utf8")).join("");
    const found = text
      .split("\n")
      .filter((line) => line.includes("req-containerName"))
      .map(parseRecord);
    expect(found.map((record) => String(record["req-containerName"])).sort()).toEqual(names.sort());
  }, 60_000);

  test("keeps the three newest backups, none older than 7 days, and nothing else's files", async () => {
    const dir = workspace.path("pruned");
    mkdirSync(dir);
    const kept = [writeBackup(dir, 2 * hour), writeBackup(dir, hour)];
    const pruned = [writeBackup(dir, 3 * hour), writeBackup(dir, 4 * hour), writeBackup(dir, 8 * 24 * hour)];
    const foreign = ["tetragon-oci-hook-notes.log", "other-2024-01-01T00-00-00.000.log", `${pruned[0]}.gz`];
    for (const name of foreign) writeFileSync(join(dir, name), "");
    prefill(join(dir, logName), 10);
    expect((await runLogged(join(dir, logName), "one", 1)).exitCode).toBe(0);
    const backups = listBackups(dir);
    expect(backups).toHaveLength(3);
    expect(backups).toEqual(expect.arrayContaining(kept));
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(foreign));
    expect(readFileSync(join(dir, logName), "utf8").split("\n")).toHaveLength(2);
  }, 60_000);

  test("removes a backup of more than 7 days even when there are few", async () => {
    const dir = workspace.path("aged");
    mkdirSync(dir);
    const young = writeBackup(dir, 6 * 24 * hour);
    const old = writeBackup(dir, 8 * 24 * hour);
    prefill(join(dir, logName), 10);
    expect((await runLogged(join(dir, logName), "one", 1)).exitCode).toBe(0);
    expect(listBackups(dir)).toHaveLength(2);
    expect(readdirSync(dir)).toContain(young);
    expect(readdirSync(dir)).not.toContain(old);
  }, 60_000);

  test("does not happen while the line still fits", async () => {
    const dir = workspace.path("fits");
    mkdirSync(dir);
    prefill(join(dir, logName), 5_000);
    await runLogged(join(dir, logName), "one", 1);
    expect(readdirSync(dir)).toEqual([logName]);
  }, 60_000);
});

async function mountTmpfs(name: string, options: string): Promise<string> {
  const dir = workspace.path(name);
  mkdirSync(dir);
  const mounted = await runProcess(["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", dir]);
  expect(mounted.stderr).toBe("");
  workspace.onClose(() => runProcess(["/bin/umount", dir]));
  return dir;
}

describe("a log that cannot be written fails no container, and stderr says so", () => {
  const makers: readonly {
    readonly name: string;
    readonly make: (dir: string) => string | Promise<string>;
  }[] = [
    {
      name: "a symlink to a file",
      make: (dir) => {
        writeFileSync(join(dir, "target"), "untouched");
        symlinkSync(join(dir, "target"), join(dir, logName));
        return join(dir, logName);
      },
    },
    {
      name: "a dangling symlink",
      make: (dir) => {
        symlinkSync(join(dir, "target"), join(dir, logName));
        return join(dir, logName);
      },
    },
    {
      name: "a FIFO without a reader",
      make: async (dir) => {
        await runProcess(["/usr/bin/mkfifo", join(dir, logName)]);
        return join(dir, logName);
      },
    },
    {
      name: "a directory",
      make: (dir) => {
        mkdirSync(join(dir, logName));
        return join(dir, logName);
      },
    },
    { name: "a device", make: () => "/dev/null" },
    {
      name: "below a file",
      make: (dir) => {
        writeFileSync(join(dir, "file"), "");
        return join(dir, "file", logName);
      },
    },
    {
      name: "on a read-only file system",
      make: async () => join(await mountTmpfs("ro", "ro,size=64k"), logName),
    },
    {
      name: "on a full file system",
      make: async () => {
        const dir = await mountTmpfs("full", "size=4k");
        writeFileSync(join(dir, "ballast"), Buffer.alloc(4_096));
        return join(dir, logName);
      },
    },
  ];
  test.each(makers.map((maker) => ({ ...maker })))(
    "$name",
    async ({ name, make }) => {
      const dir = workspace.path(`bad-${name.replaceAll(" ", "-")}`);
      mkdirSync(dir);
      const logPath = await make(dir);
      const before = readdirSync(dir);
      const started = await runLogged(logPath, "one", 1);
      expect(started.stderr).toContain("log");
      expect(started.stderr).toContain(basename(logPath));
      expect(started.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(started.exitCode).toBe(0);
      // What is denied stays denied.
      const denied = await runLogged(logPath, "two", 2);
      expect(denied.stderr).toContain("failing container: ");
      expect(denied.exitCode).toBe(1);
      // Nothing was made or followed.
      expect(readdirSync(dir)).toEqual(before);
      if (before.includes("target")) expect(readFileSync(join(dir, "target"), "utf8")).toBe("untouched");
    },
    60_000,
  );
});

describe("a log that is new", () => {
  test("is made with mode 0600, and so are missing directories above it with no more than 0755", async () => {
    const logPath = workspace.path("new", "deeper", logName);
    expect(await runLogged(logPath, "one", 1)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(statSync(logPath).mode & 0o7777).toBe(0o600);
    expect(statSync(workspace.path("new", "deeper")).mode & 0o022).toBe(0);
  });
});
