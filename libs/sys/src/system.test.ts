// SPDX-License-Identifier: Apache-2.0
// One suite for both implementations of System.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFfiSystem } from "./ffi-system.ts";
import { openPortableSystem } from "./portable-system.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "rthooks-sys-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const fresh = (name: string): string => join(mkdtempSync(join(directory, "case-")), name);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const limits = { maxBytes: 1024 };

const implementations = [
  { name: "system calls", open: openFfiSystem, ownSockets: true },
  { name: "the runtime's modules", open: openPortableSystem, ownSockets: false },
];

describe.each(implementations)("$name", ({ open, ownSockets }) => {
  const system = open();

  test("reads a regular file whole, whatever its size", () => {
    for (const size of [0, 1, 1023, 1024]) {
      const path = fresh("file");
      writeFileSync(path, "x".repeat(size));
      const read = system.readRegularFile(path, limits);
      expect(read.ok && new TextDecoder().decode(read.value)).toBe("x".repeat(size));
    }
  });

  test("reads a file of the kernel's, which has no size", () => {
    const read = system.readRegularFile("/proc/self/status", { maxBytes: 65_536 });
    expect(read.ok && new TextDecoder().decode(read.value)).toContain("Pid:");
  });

  test("reads a file of /proc in one piece, and what is wrong is an error", () => {
    const read = system.readProcFile("/proc/self/cgroup");
    expect(read.ok && new TextDecoder().decode(read.value)).toBe(readFileSync("/proc/self/cgroup", "utf8"));
    const missing = system.readProcFile(`/proc/${2 ** 30}/cgroup`);
    expect(missing.ok ? "read" : missing.error.code).toBe("ENOENT");
  });

  test("says how large a file is that is too large", () => {
    const path = fresh("file");
    writeFileSync(path, "x".repeat(1025));
    expect(system.readRegularFile(path, limits)).toEqual({
      ok: false,
      error: { code: "ETOOBIG", bytes: 1025, maxBytes: 1024 },
    });
  });

  test.each([
    { what: "a missing file", make: () => fresh("none"), code: "ENOENT" },
    { what: "a path through a file", make: () => "/etc/passwd/x", code: "ENOTDIR" },
    { what: "a directory", make: () => directory, code: "EINVAL" },
    { what: "a path with a NUL", make: () => "/etc/passwd\0.json", code: "EINVAL" },
    {
      what: "a symbolic link",
      make: () => {
        const path = fresh("link");
        symlinkSync("/etc/passwd", path);
        return path;
      },
      code: "ELOOP",
    },
    {
      what: "a FIFO, without waiting for its writer",
      make: () => {
        const path = fresh("fifo");
        Bun.spawnSync(["mkfifo", path]);
        return path;
      },
      code: "EINVAL",
    },
  ])("refuses to read $what", ({ make, code }) => {
    const read = system.readRegularFile(make(), limits);
    expect(read.ok ? "read" : read.error.code).toBe(code);
  });

  test("follows a link of the kernel's to its target", () => {
    const target = system.readLink("/proc/self/exe");
    expect(target).toEqual({ ok: true, value: realpathSync(process.execPath) });
  });

  test("makes a log with its directories, for its owner only, and appends to it", () => {
    const path = join(fresh("a"), "b", "hook.log");
    for (const line of ["one\n", "two\n"]) {
      const log = system.openLog(path);
      if (!log.ok) throw new Error(log.error.message);
      expect(log.value.append(bytes(line))).toEqual({ ok: true, value: undefined });
      log.value.close();
    }
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("does not log through a symbolic link, nor to what is no file", () => {
    const target = fresh("target");
    writeFileSync(target, "");
    const link = fresh("link");
    symlinkSync(target, link);
    const fifo = fresh("fifo");
    Bun.spawnSync(["mkfifo", fifo]);
    for (const path of [link, fifo, directory, "/dev/null"]) expect(system.openLog(path).ok).toBe(false);
    expect(readFileSync(target, "utf8")).toBe("");
  });

  test("keeps a clock that goes forward, and a wall clock", () => {
    const before = system.monotonicMs();
    expect(system.monotonicMs()).toBeGreaterThanOrEqual(before);
    const { seconds, nanos } = system.wallClock();
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(10);
    expect(nanos).toBeLessThan(1_000_000_000);
  });

  test("says whether it has sockets of its own", () => {
    expect(system.connectUnix !== undefined).toBe(ownSockets);
  });
});

describe("logs that are renamed", () => {
  const system = openFfiSystem();
  const openLog = (path: string) => {
    const log = system.openLog(path);
    if (!log.ok) throw new Error(log.error.message);
    return log.value;
  };

  test("a line of whoever still holds the file lands in the renamed one", () => {
    const path = fresh("hook.log");
    const [first, second] = [openLog(path), openLog(path)];
    expect(first.renameTo(`${path}.1`)).toEqual({ ok: true, value: true });
    second.append(bytes("late\n"));
    expect(readFileSync(`${path}.1`, "utf8")).toBe("late\n");
    expect(existsSync(path)).toBe(false);
  });

  test("only one of two renames it, also when the other comes later", () => {
    const path = fresh("hook.log");
    const [first, second] = [openLog(path), openLog(path)];
    expect(first.renameTo(`${path}.1`)).toEqual({ ok: true, value: true });
    expect(second.renameTo(`${path}.2`)).toEqual({ ok: true, value: false });
    first.close();
    appendFileSync(path, "new\n");
    expect(second.renameTo(`${path}.2`)).toEqual({ ok: true, value: false });
    expect(readFileSync(path, "utf8")).toBe("new\n");
  });

  test("a name that is taken is not replaced", () => {
    const path = fresh("hook.log");
    const log = openLog(path);
    writeFileSync(`${path}.1`, "kept");
    const renamed = log.renameTo(`${path}.1`);
    expect(renamed.ok ? "renamed" : renamed.error.code).toBe("EEXIST");
    expect(readFileSync(`${path}.1`, "utf8")).toBe("kept");
  });

  test("a directory that cannot be written is an error, not a lost line", () => {
    const path = fresh("hook.log");
    mkdirSync(`${path}.d`);
    chmodSync(`${path}.d`, 0o500);
    const log = openLog(path);
    const renamed = log.renameTo(`${path}.missing/hook.log`);
    expect(renamed.ok ? "renamed" : renamed.error.code).toBe("ENOENT");
    expect(log.append(bytes("kept\n")).ok).toBe(true);
  });
});

describe("unix sockets", () => {
  const system = openFfiSystem();
  const connect = (path: string) => {
    const stream = system.connectUnix?.(path);
    return stream?.ok ? "connected" : stream?.error.code;
  };

  test("tells apart why there is no connection", () => {
    const file = fresh("file");
    writeFileSync(file, "");
    expect(connect(fresh("none"))).toBe("ENOENT");
    expect(connect(file)).toBe("ECONNREFUSED");
    expect(connect(`/${"x".repeat(108)}`)).toBe("ENAMETOOLONG");
  });

  test("sends, receives, sees the end, and survives a peer that is gone", async () => {
    const path = fresh("socket");
    const script = `
      const server = require("node:net").createServer((socket) => {
        socket.on("data", (data) => { socket.end(data.toString().toUpperCase()); });
      });
      server.listen(${JSON.stringify(path)}, () => console.log("up"));
    `;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
    try {
      await child.stdout.getReader().read();
      const stream = system.connectUnix?.(path);
      if (!stream?.ok) throw new Error("not connected");
      expect(stream.value.receive()).toEqual({ ok: true, value: new Uint8Array() });
      expect(stream.value.send(bytes("hello"))).toEqual({ ok: true, value: 5 });
      let text = "";
      for (;;) {
        stream.value.wait(5_000, false);
        const received = stream.value.receive();
        if (!received.ok || received.value === undefined) break;
        text += new TextDecoder().decode(received.value);
      }
      expect(text).toBe("HELLO");
      // The first write to a closed peer may still succeed; none may raise SIGPIPE.
      for (let i = 0; i < 3; i++) stream.value.send(bytes("x"));
      stream.value.close();
    } finally {
      child.kill();
      await child.exited;
    }
  });
});
