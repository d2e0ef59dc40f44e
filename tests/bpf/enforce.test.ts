// SPDX-License-Identifier: Apache-2.0
// Rules in force on this kernel, for real processes in real cgroups.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type KernelRule, openProgramSet, openRuleMaps, type ProgramSet, type RuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("enforce");
const root = `/rthooks-${workspace.tag}`;
const container = `${root}/container`;
const neighbour = `${root}/neighbour`;
const nested = `${container}/a/b/c`;
const LEVEL = 2;
let directory: string;
let programs: ProgramSet;
let rules: RuleMaps;

const must = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const open = (): ProgramSet =>
  must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: findCgroupDirectory("/") }));

beforeAll(() => {
  directory = join(mountBpfFs(workspace), "enforcement");
  for (const path of [neighbour, nested]) mkdirSync(findCgroupDirectory("/") + path, { recursive: true });
  workspace.onClose(() => removeCgroup(root));
  programs = open();
  workspace.onClose(() => {
    for (const name of must(programs.attached())) programs.detach(name);
    programs.close();
  });
  for (const name of ["kill_exec", "connect_ipv4", "connect_ipv6", "send_ipv4", "send_ipv6"])
    must(programs.attach(name));
  rules = must(openRuleMaps(programs));
  for (const path of [container, neighbour]) must(rules.putContainer(readCgroupId(path), LEVEL, new Set()));
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => {
  for (const rule of rules.active()) must(rules.remove(rule));
});

const inContainer = (): ReadonlySet<bigint> => new Set([readCgroupId(container)]);
const put = (number: number, rule: KernelRule): void => must(rules.put(number, rule, inContainer()));

describe("an execution", () => {
  const bin = workspace.path("bin");
  const program = join(bin, "touch");
  const mark = workspace.path("mark");
  beforeAll(() => {
    mkdirSync(join(bin, "sub"), { recursive: true });
    // Static: what it does first is to write the file.
    for (const path of [program, join(bin, "sub", "touch"), workspace.path("touch")])
      copyFileSync("/bin/busybox", path);
    symlinkSync(program, workspace.path("link"));
    writeFileSync(join(bin, "script"), `#!${program}\n`);
    chmodSync(join(bin, "script"), 0o755);
  });
  beforeEach(() => rmSync(mark, { force: true }));

  const deny = (path: string, match: "exact" | "prefix", change: Partial<KernelRule> = {}): KernelRule =>
    // The changes are those of an exec rule.
    ({ kind: "exec", paths: [{ path, match }], isNegated: false, denies: true, ...change }) as KernelRule;
  const act = (cgroup: string, path = program, cwd = "/"): string => {
    const { signal, stderr } = runInCgroup(cgroup, [path, mark], cwd);
    if (stderr !== "") throw new Error(stderr);
    return `${signal === "" ? "ended" : signal}, ${existsSync(mark) ? "wrote" : "wrote nothing"}`;
  };
  const KILLED = "SIGKILL, wrote nothing";
  const RAN = "ended, wrote";

  test("of the path is killed before its first instruction; in no other container and outside of all it runs", () => {
    put(9, deny(program, "exact"));
    expect(act(container)).toBe(KILLED);
    expect([act(neighbour), act(root), act("/")]).toEqual([RAN, RAN, RAN]);
    expect(must(rules.counts(9))).toEqual({ matched: 1n, denied: 1n });
  });

  test("in a nested cgroup is that of its container, also in one that is new", () => {
    put(255, deny(program, "exact"));
    expect(act(nested)).toBe(KILLED);
    for (let at = 0; at < 5; at++) {
      const fresh = `${container}/fresh-${at}`;
      mkdirSync(findCgroupDirectory("/") + fresh);
      expect(act(fresh)).toBe(KILLED);
    }
    expect(must(rules.counts(255))).toEqual({ matched: 6n, denied: 6n });
  });

  test("is killed while other rules and containers come and go", async () => {
    put(130, deny(program, "exact"));
    const times = 300;
    const loop = `i=0; while [ $i -lt ${times} ]; do i=$((i + 1)); ${program} ${mark}; done`;
    const procs = join(findCgroupDirectory(container), "cgroup.procs");
    const running = Bun.spawn(["/bin/sh", "-c", `echo $$ >${procs}; ${loop}`], { stderr: "ignore" });
    let changes = 0;
    for (; running.exitCode === null; changes++) {
      put(10, deny(`${bin}/`, "prefix", { denies: changes % 2 === 0 }));
      put(200, deny(`/usr/${changes}`, "prefix", { isNegated: true, denies: false }));
      must(rules.putContainer(1n + BigInt(changes % 50), LEVEL + 1, new Set([10, 200])));
      must(rules.remove(10));
      must(rules.removeContainer(1n + BigInt((changes + 25) % 50)));
      must(rules.remove(200));
      await Bun.sleep(0);
    }
    expect(changes).toBeGreaterThan(5);
    expect(existsSync(mark)).toBe(false);
    expect(must(rules.counts(130)).denied).toBeGreaterThan(0n);
    for (let id = 1n; id <= 50n; id++) must(rules.removeContainer(id));
  });

  test.each([
    { what: "by a symbolic link", path: () => workspace.path("link"), cwd: "/" },
    { what: "by a relative path", path: () => "./touch", cwd: bin },
    { what: "by a path with detours", path: () => `${bin}/sub/../../bin/./touch`, cwd: "/" },
  ])("$what is one of the path", ({ path, cwd }) => {
    put(0, deny(program, "exact"));
    expect(act(container, path(), cwd)).toBe(KILLED);
  });

  test("below a prefix is killed, and one beside it runs", () => {
    put(63, deny(`${bin}/`, "prefix"));
    expect([act(container), act(container, join(bin, "sub", "touch"))]).toEqual([KILLED, KILLED]);
    expect(act(container, workspace.path("touch"))).toBe(RAN);
  });

  test("of a path that only starts like an exact one runs", () => {
    put(63, deny(`${bin}/tou`, "exact"));
    expect(act(container)).toBe(RAN);
  });

  test("of all paths but some: only these run", () => {
    put(64, deny(`${bin}/sub/`, "prefix", { isNegated: true }));
    expect([act(container), act(container, join(bin, "sub", "touch"))]).toEqual([KILLED, RAN]);
  });

  test("of a script is one of its own path and of its interpreter's", () => {
    put(1, deny(join(bin, "script"), "exact"));
    expect(act(container, join(bin, "script"))).toStartWith("SIGKILL");
    expect(act(container)).toBe(RAN);
    must(rules.remove(1));
    put(1, deny(program, "exact"));
    expect(act(container, join(bin, "script"))).toStartWith("SIGKILL");
  });

  test("of a script by a relative name is not taken for one of another path", () => {
    put(1, deny("/", "prefix", { isNegated: true }));
    expect(act(container, "./script", bin)).toStartWith("ended");
  });

  test("of the first process of a PID namespace is killed like any other", () => {
    const first = (): string => {
      const { exitCode } = runInCgroup(container, [findTool("unshare"), "--pid", "--fork", program, mark]);
      return `${exitCode}, ${existsSync(mark) ? "wrote" : "wrote nothing"}`;
    };
    expect(first()).toBe("0, wrote");
    rmSync(mark);
    put(1, deny(program, "exact"));
    expect(first()).toMatch(/^[1-9]\d*, wrote nothing$/);
  });

  test("of a process with another root is one of the path that the process sees", () => {
    const chroot = (): string => runInCgroup(container, [findTool("chroot"), bin, "/touch", "/mark"]).signal;
    put(1, deny("/touch", "exact"));
    expect(chroot()).toBe("SIGKILL");
    must(rules.remove(1));
    put(1, deny(program, "exact"));
    expect(chroot()).toBe("");
  });

  test("in another mount is one of the path there", () => {
    const elsewhere = workspace.path("elsewhere");
    mkdirSync(elsewhere);
    put(1, deny(join(elsewhere, "touch"), "exact"));
    const script = `mount --bind ${bin} ${elsewhere} && exec ${elsewhere}/touch ${mark}`;
    const { signal, stderr } = runInCgroup(container, ["unshare", "-m", "/bin/sh", "-c", script]);
    expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
  });

  test("of a file without a path is killed by its name", () => {
    put(1, deny("/memfd:", "prefix"));
    const script = `import os
fd = os.memfd_create("x")
os.write(fd, open("/bin/busybox", "rb").read())
os.execve(fd, ["true"], {})`;
    expect(runInCgroup(container, ["python3", "-c", script]).signal).toBe("SIGKILL");
    expect(runInCgroup(neighbour, ["python3", "-c", script]).exitCode).toBe(0);
  });

  test("of a path that is too deep to be known is denied where any execution is", () => {
    const deep = join(workspace.path("deep"), ...Array.from({ length: 150 }, () => "d"));
    mkdirSync(deep, { recursive: true });
    copyFileSync("/bin/busybox", join(deep, "touch"));
    put(1, deny("/nowhere", "exact"));
    expect(act(container, join(deep, "touch"))).toBe(KILLED);
    expect(act(neighbour, join(deep, "touch"))).toBe(RAN);
    must(rules.remove(1));
    rmSync(mark);
    put(1, {
      ...{ kind: "connect", addresses: ["10.0.0.0/8"], isNegated: false, ports: [], sockets: "all" },
      denies: true,
    });
    expect(act(container, join(deep, "touch"))).toBe(RAN);
  });

  test("is only counted by a rule that does not deny, until it does", () => {
    put(7, deny(program, "exact", { denies: false }));
    expect(act(container)).toBe(RAN);
    expect(must(rules.counts(7))).toEqual({ matched: 1n, denied: 0n });
    rmSync(mark);
    must(rules.setDenying(7, true));
    expect(act(container)).toBe(KILLED);
    must(rules.setDenying(7, false));
    expect(act(container)).toBe(RAN);
    expect(must(rules.counts(7))).toEqual({ matched: 3n, denied: 1n });
  });

  test("runs again when its rule is removed, and other rules stay", () => {
    put(1, deny(program, "exact"));
    put(2, deny(join(bin, "sub", "touch"), "exact"));
    must(rules.remove(1));
    expect([act(container), act(container, join(bin, "sub", "touch"))]).toEqual([
      RAN,
      expect.stringContaining("SIGKILL"),
    ]);
    expect(rules.active()).toEqual(new Set([2]));
  });

  test("of a container that has ended is not judged", () => {
    put(1, deny(program, "exact"));
    must(rules.removeContainer(readCgroupId(container)));
    expect(act(container)).toBe(RAN);
    must(rules.putContainer(readCgroupId(container), LEVEL, new Set([1])));
    rmSync(mark);
    expect(act(container)).toBe(KILLED);
  });

  test("is judged by the rules of an earlier process, and the next one removes them", () => {
    put(5, deny(program, "exact"));
    const next = open();
    const adopted = must(openRuleMaps(next));
    expect(adopted.active()).toEqual(new Set([5]));
    must(adopted.put(6, deny(`${bin}/`, "prefix"), inContainer()));
    must(adopted.remove(5));
    expect(act(container)).toBe(KILLED);
    must(adopted.remove(6));
    expect(act(container)).toBe(RAN);
    next.close();
  });

  test("a rule with a path that cannot be compared is refused", () => {
    for (const path of ["touch", "", `/${"a".repeat(255)}`, "/a\0b"])
      expect(rules.put(1, deny(path, "exact"), inContainer())).toMatchObject({ ok: false });
    expect(rules.active().size).toBe(0);
  });
});

describe("a connection", () => {
  const deny = (addresses: readonly string[], change: object = {}): KernelRule => ({
    ...{ kind: "connect", addresses, isNegated: false, ports: [], sockets: "all", denies: true },
    ...change,
  });
  /** What each of the calls ended with. */
  const connect = (
    cgroup: string,
    ...calls: readonly (readonly [how: string, address: string, port?: number])[]
  ) => {
    const words = calls.flatMap(([how, address, port = 9]) => [how, address, String(port)]);
    const script = join(import.meta.dir, "connect.py");
    return runInCgroup(cgroup, ["python3", script, ...words])
      .stdout.trim()
      .split("\n");
  };

  const calls = [
    ...(["tcp", "udp", "sendto", "fastopen", "mptcp"] as const).map((how) => [how, "127.0.0.2"] as const),
    ...(["tcp", "udp", "sendto"] as const).flatMap((how) => [
      [how, "::ffff:127.0.0.2"] as const,
      [how, "::1"] as const,
      // The kernel connects it to ::1.
      [how, "::"] as const,
    ]),
  ];
  test.each([
    { where: "in the container", cgroup: container, result: "EPERM" },
    { where: "in its nested cgroups", cgroup: nested, result: "EPERM" },
    { where: "in another container", cgroup: neighbour, result: "passed" },
    { where: "outside of containers", cgroup: "/", result: "passed" },
  ])(
    "to an address $where ends with $result, by whichever call and in whichever form",
    ({ cgroup, result }) => {
      put(1, deny(["127.0.0.2", "::1"]));
      const results = connect(cgroup, ...calls);
      expect(calls.map((call, at) => [...call, results[at]])).toEqual(calls.map((call) => [...call, result]));
      const denied = result === "EPERM" ? BigInt(calls.length) : 0n;
      expect(must(rules.counts(1))).toEqual({ matched: denied, denied });
    },
  );

  test("to the unspecified address is one to 127.0.0.1", () => {
    put(1, deny(["127.0.0.1"]));
    expect(
      connect(container, ["tcp", "0.0.0.0"], ["sendto", "::ffff:0.0.0.0"], ["tcp", "127.0.0.3"]),
    ).toEqual(["EPERM", "EPERM", "passed"]);
  });

  test("to a block fails, and one beside it does not", () => {
    put(1, deny(["127.0.1.0/24"]));
    expect(connect(container, ["tcp", "127.0.1.200"], ["tcp", "127.0.2.1"])).toEqual(["EPERM", "passed"]);
  });

  test("to everything but a block: only the block is reached", () => {
    put(1, deny(["127.0.1.0/24"], { isNegated: true }));
    expect(connect(container, ["tcp", "127.0.1.200"], ["tcp", "127.0.2.1"], ["tcp", "::1"])).toEqual([
      ...["passed", "EPERM", "EPERM"],
    ]);
  });

  test("to a port fails for the ports of the rule", () => {
    put(200, deny(["127.0.0.0/8"], { ports: [80, 443] }));
    const ports = [80, 443, 8_080, 20_480].map((port) => ["tcp", "127.0.0.1", port] as const);
    expect(connect(container, ...ports)).toEqual(["EPERM", "EPERM", "passed", "passed"]);
  });

  test("is judged by the kind of its socket", () => {
    put(1, deny(["127.0.0.2"], { sockets: "stream" }));
    put(2, deny(["127.0.0.3"], { sockets: "datagram" }));
    expect(connect(container, ["tcp", "127.0.0.2"], ["sendto", "127.0.0.2"])).toEqual(["EPERM", "passed"]);
    expect(connect(container, ["tcp", "127.0.0.3"], ["sendto", "127.0.0.3"])).toEqual(["passed", "EPERM"]);
  });

  test("is not judged by a rule about executions", () => {
    put(1, { kind: "exec", paths: [{ path: "/nowhere", match: "exact" }], isNegated: false, denies: true });
    expect(connect(container, ["tcp", "127.0.0.2"])).toEqual(["passed"]);
  });

  test("a rule with what is not an address is refused with it", () => {
    expect(rules.put(1, deny(["10.0.0.0/33"]), inContainer())).toEqual({
      ok: false,
      error: "not an address: 10.0.0.0/33",
    });
  });
});

describe("a container", () => {
  test("at a level that a program does not look at is refused", () => {
    expect(rules.putContainer(1n, 0, new Set())).toMatchObject({ ok: false });
    expect(rules.putContainer(1n, 256, new Set())).toMatchObject({ ok: false });
  });

  test("within another one has the rules of the inner one alone", () => {
    const inner = readCgroupId(`${container}/a`);
    const program = realpathSync("/bin/busybox");
    put(1, { kind: "exec", paths: [{ path: program, match: "exact" }], isNegated: false, denies: true });
    const run = (cgroup: string): string => runInCgroup(cgroup, [program, "true"]).signal;
    expect([run(nested), run(container)]).toEqual(["SIGKILL", "SIGKILL"]);
    must(rules.putContainer(inner, LEVEL + 1, new Set()));
    expect([run(nested), run(container)]).toEqual(["", "SIGKILL"]);
    must(rules.removeContainer(inner));
    expect(run(nested)).toBe("SIGKILL");
  });
});
