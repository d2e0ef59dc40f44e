// SPDX-License-Identifier: Apache-2.0
// What the programs of bpf/process.bpf.c tell of real processes on this kernel.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EventReader, type EventRecord, type ExecRecord, openEventReader } from "@rthooks/bpf";
import { findCgroupDirectory, readCgroupId } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { openRecordedContainer, type RecordedContainer } from "../harness/recorded-container.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("records");
let recorded: RecordedContainer;
let reader: EventReader;

beforeAll(() => {
  recorded = openRecordedContainer(workspace);
  const opened = openEventReader(recorded.directory);
  if (!opened.ok) throw new Error(opened.error);
  reader = opened.value;
  workspace.onClose(reader.close);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => void readAll());

function readAll(): readonly EventRecord[] {
  const records: EventRecord[] = [];
  const { unreadable } = reader.read((record) => records.push(record), Number.POSITIVE_INFINITY);
  expect(unreadable).toBe(0);
  return records;
}

/** Runs it in the container; all that was told until it had ended. */
function record(argv: readonly string[], cwd = "/"): readonly EventRecord[] {
  const { stderr } = runInCgroup(recorded.container, argv, cwd);
  if (stderr !== "") throw new Error(stderr);
  return readAll();
}
const ofKind = <K extends EventRecord["kind"]>(records: readonly EventRecord[], kind: K) =>
  records.filter((one): one is Extract<EventRecord, { readonly kind: K }> => one.kind === kind);
function onlyExec(records: readonly EventRecord[]): ExecRecord {
  const [exec, ...more] = ofKind(records, "exec");
  if (exec === undefined || more.length > 0) throw new Error(`${more.length + 1} executions`);
  return exec;
}
const python = (script: string, ...words: readonly string[]) => ["/usr/bin/python3", "-c", script, ...words];

describe("a process", () => {
  test("is told with its program, its arguments, its directory and its end", () => {
    const before =
      BigInt(Math.floor(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1e9)) - 20_000_000n;
    const records = record(["/bin/busybox", "echo", "a b", ""], "/usr");
    expect(records.map(({ kind }) => kind)).toEqual(["exec", "exit"]);
    const exec = onlyExec(records);
    expect(exec).toMatchObject({
      ...{ path: "/usr/bin/busybox", arguments: ["/bin/busybox", "echo", "a b", ""], cwd: "/usr", uid: 0 },
      ...{ container: recorded.cgroupId, areArgumentsCut: false, parentPid: process.pid },
    });
    expect(exec.tid).toBe(exec.pid);
    expect(exec.startTime).toBeGreaterThan(before);
    expect(exec.time).toBeGreaterThan(exec.startTime);
    expect(records[1]).toMatchObject({ pid: exec.pid, startTime: exec.startTime, exitCode: 0 });
  });

  test("is told whether its kernel knows a login uid", () => {
    const { auid } = onlyExec(record(["/bin/busybox", "true"]));
    const path = "/proc/self/loginuid";
    expect(auid).toBe(existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined);
  });

  test("in no known container is not told", () => {
    for (const cgroup of [recorded.neighbour, recorded.root, "/"])
      runInCgroup(cgroup, ["/bin/busybox", "true"]);
    expect(readAll()).toEqual([]);
  });

  test("in a nested cgroup is one of the container", () => {
    const nested = `${recorded.container}/a/b`;
    mkdirSync(findCgroupDirectory(nested), { recursive: true });
    runInCgroup(nested, ["/bin/busybox", "true"]);
    expect(readAll().map(({ kind, container }) => [kind, container])).toEqual([
      ["exec", recorded.cgroupId],
      ["exit", recorded.cgroupId],
    ]);
  });

  test("has the start time that /proc has, in ticks", () => {
    const script = `print(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])`;
    const { stdout } = runInCgroup(recorded.container, python(script));
    expect(onlyExec(readAll()).startTime / 10_000_000n).toBe(BigInt(stdout.trim()));
  });

  test("that makes another one without a program tells of it, and both end", () => {
    const records = record(
      python(`import os
pid = os.fork()
if pid == 0: os._exit(3)
os.waitpid(pid, 0)`),
    );
    const [fork] = ofKind(records, "fork");
    const exits = ofKind(records, "exit");
    expect(ofKind(records, "fork")).toHaveLength(1);
    expect(exits.map(({ pid, startTime, exitCode }) => ({ pid, startTime, exitCode }))).toEqual([
      { pid: fork?.childPid ?? 0, startTime: fork?.childStartTime ?? 0n, exitCode: 3 << 8 },
      { pid: fork?.pid ?? 0, startTime: fork?.startTime ?? 0n, exitCode: 0 },
    ]);
    expect(exits[0]?.parentPid).toBe(fork?.pid);
    expect(exits[0]?.parentStartTime).toBe(fork?.startTime);
  });

  test.each([
    { how: "by itself", end: "os._exit(7)", exitCode: 7 << 8 },
    { how: "by SIGTERM", end: "os.kill(os.getpid(), 15)", exitCode: 15 },
    { how: "by SIGKILL", end: "os.kill(os.getpid(), 9)", exitCode: 9 },
  ])("that ends $how has the status of waitpid", ({ end, exitCode }) => {
    runInCgroup(recorded.container, python(`import os, time\n${end}\ntime.sleep(60)`));
    expect(ofKind(readAll(), "exit").map((exit) => exit.exitCode)).toEqual([exitCode]);
  });

  test("with threads ends once, whichever of them is the last, with the status of the process", () => {
    const records = record(
      python(`import ctypes, os, threading, time
def work():
  time.sleep(0.05)
  os._exit(5)
threading.Thread(target=work).start()
# Only the first thread ends.
ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 9)`),
    );
    expect(ofKind(records, "fork")).toEqual([]);
    expect(ofKind(records, "exit").map(({ exitCode }) => exitCode)).toEqual([5 << 8]);
  });

  test("that begins a program in a second thread stays the same", () => {
    const records = record(
      python(`import os, threading
threading.Thread(target=lambda: os.execv("/bin/busybox", ["busybox", "true"])).start()
while True: pass`),
    );
    const [first, second, ...more] = ofKind(records, "exec");
    expect(more).toEqual([]);
    expect(second).toMatchObject({
      ...{ pid: first?.pid, tid: first?.pid, startTime: first?.startTime },
      path: "/usr/bin/busybox",
    });
    expect(ofKind(records, "exit").map(({ pid }) => pid)).toEqual([first?.pid ?? 0]);
  });

  test("in a PID namespace has its number there", () => {
    const records = record(["/usr/bin/unshare", "--pid", "--fork", "/bin/busybox", "true"]);
    const exec = ofKind(records, "exec").at(-1);
    expect(exec).toMatchObject({ path: "/usr/bin/busybox", namespacePid: 1 });
    expect(exec?.pid).toBeGreaterThan(1);
    expect(ofKind(records, "fork")).toMatchObject([{ childPid: exec?.pid, childNamespacePid: 1 }]);
  });

  test("of a user has its uid", () => {
    const words = ["/usr/bin/setpriv", "--reuid=4242", "--clear-groups", "/bin/busybox", "true"];
    expect(ofKind(record(words), "exec").map(({ uid }) => uid)).toEqual([0, 4_242]);
  });
});

describe("a program", () => {
  test("that is a script is told as its interpreter, with the script as an argument", () => {
    const script = workspace.path("script");
    writeFileSync(script, "#!/bin/busybox echo\n");
    chmodSync(script, 0o755);
    expect(onlyExec(record([script, "x"]))).toMatchObject({
      ...{ path: "/usr/bin/busybox", arguments: ["/bin/busybox", "echo", script, "x"] },
    });
  });

  test("with very long arguments is told with the first of them", () => {
    const words = Array.from({ length: 5_000 }, (_, at) => `word-${at}`);
    const exec = onlyExec(record(["/bin/busybox", "true", ...words]));
    expect(exec.areArgumentsCut).toBe(true);
    const text = ["/bin/busybox", "true", ...words].join("\0").slice(0, 4_095);
    expect(exec.arguments?.join("\0")).toBe(text);
  });

  test("with arguments of up to the limit is told with all of them", () => {
    // With two zeros.
    const words = ["/bin/busybox", "a".repeat(4_095 - "/bin/busybox".length - 2)];
    const { stderr } = runInCgroup(recorded.container, words);
    expect(stderr).toContain("applet not found");
    expect(onlyExec(readAll())).toMatchObject({ arguments: words, areArgumentsCut: false });
  });

  test("with lines, empty words and what is not UTF-8 in its arguments is told with them", () => {
    const exec = ofKind(
      record(
        python(`import os
os.execv(b"/bin/busybox", [b"busybox", b"true", b"a\\nb", b"", b"\\xff\\xc3(", b"\\xc3\\xb6"])`),
      ),
      "exec",
    ).at(-1);
    expect(exec?.arguments).toEqual(["busybox", "true", "a\nb", "", "\ufffd\ufffd(", "ö"]);
  });

  test("without any argument is told", () => {
    const exec = ofKind(
      record(
        python(`import ctypes
libc = ctypes.CDLL(None)
none = (ctypes.c_char_p * 1)(None)
libc.execve(b"/bin/true", none, none)`),
      ),
      "exec",
    ).at(-1);
    // The kernel adds an empty name.
    expect(exec).toMatchObject({ path: "/usr/bin/true", arguments: [""] });
  });

  test("in a deep directory is told with it, and in one that is too deep without", () => {
    const deep = join(workspace.path("deep"), ...Array.from({ length: 60 }, () => "d"));
    mkdirSync(deep, { recursive: true });
    expect(onlyExec(record(["/bin/busybox", "true"], deep)).cwd).toBe(deep);
    const deeper = join(deep, ...Array.from({ length: 100 }, () => "d"));
    mkdirSync(deeper, { recursive: true });
    expect(onlyExec(record(["/bin/busybox", "true"], deeper))).toMatchObject({
      ...{ cwd: undefined, path: "/usr/bin/busybox", arguments: ["/bin/busybox", "true"] },
    });
  });

  test("of a file without a path is told by its name", () => {
    const exec = ofKind(
      record(
        python(`import os
fd = os.memfd_create("x")
os.write(fd, open("/bin/busybox", "rb").read())
os.execve(fd, ["true"], {})`),
      ),
      "exec",
    ).at(-1);
    expect(exec?.path).toStartWith("/memfd:x");
  });

  test("of a process with another root has the paths that the process sees", () => {
    const root = workspace.path("root");
    mkdirSync(root);
    writeFileSync(join(root, "sh"), readFileSync("/bin/busybox"), { mode: 0o755 });
    const exec = ofKind(record(["/usr/sbin/chroot", root, "/sh", "-c", "true"]), "exec").at(-1);
    expect(exec).toMatchObject({ path: "/sh", cwd: "/" });
  });
});

test("the cgroup of a container that is removed is told, and no other", () => {
  const directory = findCgroupDirectory(`${recorded.root}/gone`);
  mkdirSync(directory);
  rmdirSync(directory);
  expect(readAll()).toEqual([]);
  mkdirSync(directory);
  const cgroup = readCgroupId(`${recorded.root}/gone`);
  recorded.programs
    .map("container_rules")
    .update(new Uint8Array(BigUint64Array.of(cgroup).buffer), new Uint8Array(32));
  rmdirSync(directory);
  expect(readAll()).toMatchObject([{ kind: "cgroup_gone", cgroup, pid: process.pid }]);
});

test("records for which there is no room are counted, and the next ones come", () => {
  const lost = (): bigint => {
    const counts = reader.countLost();
    if (!counts.ok) throw new Error(counts.error);
    return counts.value.get("exec") ?? 0n;
  };
  const before = lost();
  // Of each some 4 KiB of arguments stay: more than 8 MiB.
  const loop = `i=0; while [ $i -lt 2200 ]; do i=$((i + 1)); /bin/busybox true ${"a".repeat(4_000)}; done`;
  runInCgroup(recorded.container, ["/bin/busybox", "sh", "-c", loop]);
  const gone = lost() - before;
  const told = ofKind(readAll(), "exec").length;
  expect(gone).toBeGreaterThan(0n);
  expect(told + Number(gone)).toBe(2_201);
  expect(record(["/bin/busybox", "true"]).map(({ kind }) => kind)).toEqual(["exec", "exit"]);
});
