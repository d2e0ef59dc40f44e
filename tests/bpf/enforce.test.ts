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
import { openRuleMaps } from "@rthooks/bpf";
import type { KernelRule } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { findCgroupDirectory, readCgroupId } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { connectRule, execRule, placeRule } from "../harness/kernel-rules.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Enforcement, LEVEL, openEnforcement } from "./open-enforcement.ts";

const workspace = createWorkspace("enforce");
let enforcement: Enforcement;
beforeAll(() => {
  enforcement = openEnforcement(workspace);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => enforcement.removeAll());

/** A rule, and whether it has its effects. */
interface Wanted {
  readonly rule: KernelRule;
  readonly enforces: boolean;
}
const put = (number: number, { rule, enforces }: Wanted): void => enforcement.put(number, rule, { enforces });

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

  const deny = (
    path: string,
    match: "exact" | "prefix",
    { isNegated = false, denies = true }: { readonly isNegated?: boolean; readonly denies?: boolean } = {},
  ): Wanted => ({
    rule: execRule({ texts: [{ facet: "arg0", match, values: [path], isNegated }] }),
    enforces: denies,
  });
  const act = (cgroup: string, path = program, cwd = "/"): string => {
    const { signal, stderr } = runInCgroup(cgroup, [path, mark], cwd);
    if (stderr !== "") throw new Error(stderr);
    return `${signal === "" ? "ended" : signal}, ${existsSync(mark) ? "wrote" : "wrote nothing"}`;
  };
  const KILLED = "SIGKILL, wrote nothing";
  const RAN = "ended, wrote";

  test("of the path is killed before its first instruction; in no other container and outside of all it runs", () => {
    put(9, deny(program, "exact"));
    expect(act(enforcement.container)).toBe(KILLED);
    expect([act(enforcement.neighbour), act(enforcement.root), act("/")]).toEqual([RAN, RAN, RAN]);
    expect(enforcement.count(9)).toEqual({ matched: 1n, denied: 1n });
  });

  test("in a nested cgroup is that of its container, also in one that is new", () => {
    put(255, deny(program, "exact"));
    expect(act(enforcement.nested)).toBe(KILLED);
    for (let at = 0; at < 5; at++) {
      const fresh = `${enforcement.container}/fresh-${at}`;
      mkdirSync(findCgroupDirectory("/") + fresh);
      expect(act(fresh)).toBe(KILLED);
    }
    expect(enforcement.count(255)).toEqual({ matched: 6n, denied: 6n });
  });

  test("is killed while other rules and containers come and go", async () => {
    put(130, deny(program, "exact"));
    const end = workspace.path("end");
    const loop = `while [ ! -e ${end} ]; do ${program} ${mark}; done`;
    const procs = join(findCgroupDirectory(enforcement.container), "cgroup.procs");
    const running = Bun.spawn(["/bin/sh", "-c", `echo $$ >${procs}; ${loop}`], { stderr: "ignore" });
    for (let changes = 0; changes < 30 || enforcement.count(130).denied < 30n; changes++) {
      put(10, deny(`${bin}/`, "prefix", { denies: changes % 2 === 0 }));
      put(200, deny(`/usr/${changes}`, "prefix", { isNegated: true, denies: false }));
      must(enforcement.rules.putContainer(1n + BigInt(changes % 50), LEVEL + 1, new Set([10, 200])));
      must(enforcement.rules.change([], [10, 200]));
      must(enforcement.rules.removeContainer(1n + BigInt((changes + 25) % 50)));
      await Bun.sleep(0);
    }
    writeFileSync(end, "");
    await running.exited;
    expect(existsSync(mark)).toBe(false);
    for (let id = 1n; id <= 50n; id++) must(enforcement.rules.removeContainer(id));
  });

  test.each([
    { what: "by a symbolic link", path: () => workspace.path("link"), cwd: "/" },
    { what: "by a relative path", path: () => "./touch", cwd: bin },
    { what: "by a path with detours", path: () => `${bin}/sub/../../bin/./touch`, cwd: "/" },
  ])("$what is one of the path", ({ path, cwd }) => {
    put(0, deny(program, "exact"));
    expect(act(enforcement.container, path(), cwd)).toBe(KILLED);
  });

  test("below a prefix is killed, and one beside it runs", () => {
    put(63, deny(`${bin}/`, "prefix"));
    expect([act(enforcement.container), act(enforcement.container, join(bin, "sub", "touch"))]).toEqual([
      KILLED,
      KILLED,
    ]);
    expect(act(enforcement.container, workspace.path("touch"))).toBe(RAN);
  });

  test("of a path that only starts like an exact one runs", () => {
    put(63, deny(`${bin}/tou`, "exact"));
    expect(act(enforcement.container)).toBe(RAN);
  });

  test("of all paths but some: only these run", () => {
    put(64, deny(`${bin}/sub/`, "prefix", { isNegated: true }));
    expect([act(enforcement.container), act(enforcement.container, join(bin, "sub", "touch"))]).toEqual([
      KILLED,
      RAN,
    ]);
  });

  test("of a script is one of its own path and of its interpreter's", () => {
    put(1, deny(join(bin, "script"), "exact"));
    expect(act(enforcement.container, join(bin, "script"))).toStartWith("SIGKILL");
    expect(act(enforcement.container)).toBe(RAN);
    enforcement.remove(1);
    put(1, deny(program, "exact"));
    expect(act(enforcement.container, join(bin, "script"))).toStartWith("SIGKILL");
  });

  test("of a script by a relative name is not taken for one of another path", () => {
    put(1, deny("/", "prefix", { isNegated: true }));
    expect(act(enforcement.container, "./script", bin)).toStartWith("ended");
  });

  test("of the first process of a PID namespace is killed like any other", () => {
    const first = (): string => {
      const { exitCode } = runInCgroup(enforcement.container, [
        findTool("unshare"),
        "--pid",
        "--fork",
        program,
        mark,
      ]);
      return `${exitCode}, ${existsSync(mark) ? "wrote" : "wrote nothing"}`;
    };
    expect(first()).toBe("0, wrote");
    rmSync(mark);
    put(1, deny(program, "exact"));
    expect(first()).toMatch(/^[1-9]\d*, wrote nothing$/);
  });

  test("of a process with another root is one of the path that the process sees", () => {
    const chroot = (): string =>
      runInCgroup(enforcement.container, [findTool("chroot"), bin, "/touch", "/mark"]).signal;
    put(1, deny("/touch", "exact"));
    expect(chroot()).toBe("SIGKILL");
    enforcement.remove(1);
    put(1, deny(program, "exact"));
    expect(chroot()).toBe("");
  });

  test("in another mount is one of the path there", () => {
    const elsewhere = workspace.path("elsewhere");
    mkdirSync(elsewhere);
    put(1, deny(join(elsewhere, "touch"), "exact"));
    const script = `mount --bind ${bin} ${elsewhere} && exec ${elsewhere}/touch ${mark}`;
    const { signal, stderr } = runInCgroup(enforcement.container, ["unshare", "-m", "/bin/sh", "-c", script]);
    expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
  });

  test("of a file without a path is killed by its name", () => {
    put(1, deny("/memfd:", "prefix"));
    const script = `import os
fd = os.memfd_create("x")
os.write(fd, open("/bin/busybox", "rb").read())
os.execve(fd, ["true"], {})`;
    expect(runInCgroup(enforcement.container, ["python3", "-c", script]).signal).toBe("SIGKILL");
    expect(runInCgroup(enforcement.neighbour, ["python3", "-c", script]).exitCode).toBe(0);
  });

  test("of a path that is too deep to be known is denied where any execution is", () => {
    const deep = join(workspace.path("deep"), ...Array.from({ length: 150 }, () => "d"));
    mkdirSync(deep, { recursive: true });
    copyFileSync("/bin/busybox", join(deep, "touch"));
    put(1, deny("/nowhere", "exact"));
    expect(act(enforcement.container, join(deep, "touch"))).toBe(KILLED);
    expect(act(enforcement.neighbour, join(deep, "touch"))).toBe(RAN);
    enforcement.remove(1);
    rmSync(mark);
    put(1, { rule: connectRule({}), enforces: true });
    expect(act(enforcement.container, join(deep, "touch"))).toBe(RAN);
  });

  test("is only counted by a rule that does not deny, until it does", () => {
    put(7, deny(program, "exact", { denies: false }));
    expect(act(enforcement.container)).toBe(RAN);
    expect(enforcement.count(7)).toEqual({ matched: 1n, denied: 0n });
    rmSync(mark);
    must(enforcement.rules.setEnforcing([7], true));
    expect(act(enforcement.container)).toBe(KILLED);
    must(enforcement.rules.setEnforcing([7], false));
    expect(act(enforcement.container)).toBe(RAN);
    expect(enforcement.count(7)).toEqual({ matched: 3n, denied: 1n });
  });

  test("runs again when its rule is removed, and other rules stay", () => {
    put(1, deny(program, "exact"));
    put(2, deny(join(bin, "sub", "touch"), "exact"));
    enforcement.remove(1);
    expect([act(enforcement.container), act(enforcement.container, join(bin, "sub", "touch"))]).toEqual([
      RAN,
      expect.stringContaining("SIGKILL"),
    ]);
    expect(enforcement.rules.active()).toEqual(new Set([2]));
  });

  test("of a container that has ended is not judged", () => {
    put(1, deny(program, "exact"));
    must(enforcement.rules.removeContainer(readCgroupId(enforcement.container)));
    expect(act(enforcement.container)).toBe(RAN);
    must(enforcement.rules.putContainer(readCgroupId(enforcement.container), LEVEL, new Set([1])));
    rmSync(mark);
    expect(act(enforcement.container)).toBe(KILLED);
  });

  test("is judged by the rules of an earlier process, and the next one removes them", () => {
    put(5, deny(program, "exact"));
    const next = enforcement.open();
    const adopted = must(openRuleMaps(next));
    expect(adopted.active()).toEqual(new Set([5]));
    expect(adopted.owners()).toEqual(new Map([[5, { key: "rule 5", digest: "" }]]));
    const { rule } = deny(`${bin}/`, "prefix");
    must(adopted.change([placeRule(6, rule, new Set([readCgroupId(enforcement.container)]))], [5]));
    expect(act(enforcement.container)).toBe(KILLED);
    must(adopted.change([], [6]));
    expect(act(enforcement.container)).toBe(RAN);
    next.close();
  });

  test("a rule with a path that cannot be compared is refused", () => {
    for (const path of [`/${"a".repeat(254)}`, "/a\0b"]) {
      const placed = placeRule(1, deny(path, "exact").rule, new Set([readCgroupId(enforcement.container)]));
      expect(enforcement.rules.change([placed], [])).toMatchObject({ ok: false });
    }
    expect(enforcement.rules.active().size).toBe(0);
  });
});

describe("a container", () => {
  test("at a level that a program does not look at is refused", () => {
    expect(enforcement.rules.putContainer(1n, 0, new Set())).toMatchObject({ ok: false });
    expect(enforcement.rules.putContainer(1n, 256, new Set())).toMatchObject({ ok: false });
  });

  test("within another one has the rules of the inner one alone", () => {
    const inner = readCgroupId(`${enforcement.container}/a`);
    const program = realpathSync("/bin/busybox");
    put(1, {
      rule: execRule({ texts: [{ facet: "arg0", match: "exact", values: [program], isNegated: false }] }),
      enforces: true,
    });
    const run = (cgroup: string): string => runInCgroup(cgroup, [program, "true"]).signal;
    expect([run(enforcement.nested), run(enforcement.container)]).toEqual(["SIGKILL", "SIGKILL"]);
    must(enforcement.rules.putContainer(inner, LEVEL + 1, new Set()));
    expect([run(enforcement.nested), run(enforcement.container)]).toEqual(["", "SIGKILL"]);
    must(enforcement.rules.removeContainer(inner));
    expect(run(enforcement.nested)).toBe("SIGKILL");
  });
});
