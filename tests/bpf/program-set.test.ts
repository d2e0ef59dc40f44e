// SPDX-License-Identifier: Apache-2.0
// Programs on this kernel: loaded, attached, pinned, taken over, refused.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet, type ProgramSet } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { compilePrograms } from "./compile-programs.ts";

const workspace = createWorkspace("progs");
let bpfFs: string;
beforeAll(() => {
  bpfFs = mountBpfFs(workspace);
});
afterAll(() => workspace.close());

/** Of a process that attaches programs and ends. */
const script = join(import.meta.dir, "fixtures", "attach.ts");
let count = 0;
const createDirectory = (): string => join(bpfFs, `d${++count}`);
const cgroupRoot = findCgroupDirectory("/");

function open(directory: string, object: Uint8Array = embeddedPrograms()): ProgramSet {
  const opened = openProgramSet({ object, directory, cgroupRoot });
  if (!opened.ok) throw new Error(opened.error);
  workspace.onClose(() => {
    for (const name of attachedOf(opened.value)) opened.value.detach(name);
    opened.value.close();
  });
  return opened.value;
}
function attachedOf(programs: ProgramSet): readonly string[] {
  const attached = programs.attached();
  if (!attached.ok) throw new Error(attached.error);
  return attached.value;
}
function attach(programs: ProgramSet, name: string): string {
  const attached = programs.attach(name);
  return attached.ok ? attached.value : attached.error.reason;
}
/** The descriptions of the pinned links, as bpftool sees them; by the program's name. */
function findLinks(directory: string): ReadonlyMap<string, { readonly id: number; readonly type: string }> {
  const links = readdirSync(directory).filter((name) => /-[0-9a-f]{16}$/.test(name));
  return new Map(
    links.map((name) => {
      const { stdout } = Bun.spawnSync([
        findTool("bpftool"),
        "-j",
        "link",
        "show",
        "pinned",
        join(directory, name),
      ]);
      return [name.slice(0, -17), JSON.parse(stdout.toString())];
    }),
  );
}
const linkIds = (): readonly number[] =>
  JSON.parse(Bun.spawnSync([findTool("bpftool"), "-j", "link", "show"]).stdout.toString()).map(
    ({ id }: { readonly id: number }) => id,
  );

describe("a program", () => {
  test("is attached and pinned, and another process adopts it without a new link", () => {
    const directory = createDirectory();
    const first = open(directory);
    expect([attach(first, "kill_exec"), attach(first, "connect_ipv4")]).toEqual(["attached", "attached"]);
    expect(attachedOf(first)).toEqual(["kill_exec", "connect_ipv4"]);
    const links = findLinks(directory);
    expect([links.get("kill_exec")?.type, links.get("connect_ipv4")?.type]).toEqual([
      "raw_tracepoint",
      "cgroup",
    ]);
    first.close();
    const second = open(directory);
    expect(attachedOf(second)).toEqual(["kill_exec", "connect_ipv4"]);
    expect([attach(second, "kill_exec"), attach(second, "connect_ipv4")]).toEqual(["adopted", "adopted"]);
    expect(findLinks(directory)).toEqual(links);
  });

  test("stays attached when the process that loaded it has ended", () => {
    const directory = createDirectory();
    const objectFile = workspace.path("embedded.o");
    writeFileSync(objectFile, embeddedPrograms());
    const words = [script, objectFile, directory, cgroupRoot, "send_ipv4", "send_ipv6"];
    const { stdout, stderr } = Bun.spawnSync([process.execPath, ...words]);
    expect(stdout.toString() + stderr).toBe("send_ipv4 attached\nsend_ipv6 attached\n");
    expect([...findLinks(directory).keys()].toSorted()).toEqual(["send_ipv4", "send_ipv6"]);
    expect(attach(open(directory), "send_ipv6")).toBe("adopted");
  });

  test("is detached, and only that one", async () => {
    const directory = createDirectory();
    const programs = open(directory);
    for (const name of ["send_ipv4", "send_ipv6"]) attach(programs, name);
    const { id } = findLinks(directory).get("send_ipv4") ?? { id: 0 };
    expect(programs.detach("send_ipv4")).toEqual({ ok: true, value: undefined });
    expect(attachedOf(programs)).toEqual(["send_ipv6"]);
    await waitFor("the link's end", () => !linkIds().includes(id));
    expect(attach(programs, "send_ipv4")).toBe("attached");
  });

  test("stays attached when its pin is removed while the process lives, and is pinned again with the maps", () => {
    const directory = createDirectory();
    const programs = open(directory);
    attach(programs, "send_ipv4");
    const before = readdirSync(directory).toSorted();
    const { id } = findLinks(directory).get("send_ipv4") ?? { id: 0 };
    expect(programs.keep()).toEqual({ ok: true, value: false });
    rmSync(directory, { recursive: true });
    expect(linkIds()).toContain(id);
    expect(programs.keep()).toEqual({ ok: true, value: true });
    expect([readdirSync(directory).toSorted(), findLinks(directory).get("send_ipv4")?.id]).toEqual([
      before,
      id,
    ]);
    programs.close();
    const next = open(directory);
    expect(attach(next, "send_ipv4")).toBe("adopted");
  });

  test("of another version is replaced: the old one goes when the new one is attached", async () => {
    const directory = createDirectory();
    const programs = open(directory);
    attach(programs, "send_ipv4");
    const old = findLinks(directory).get("send_ipv4")?.id ?? 0;
    const [pin = ""] = readdirSync(directory).filter((name) => name.startsWith("send_ipv4-"));
    renameSync(join(directory, pin), join(directory, "send_ipv4-0123456789abcdef"));
    expect(attach(programs, "send_ipv4")).toBe("attached");
    expect(readdirSync(directory).filter((name) => name.startsWith("send_ipv4"))).toEqual([pin]);
    await waitFor("the old link's end", () => !linkIds().includes(old));
  });

  test("goes on with maps of another layout until its successor is attached with the new ones", () => {
    const directory = createDirectory();
    const earlier = compilePrograms(
      workspace,
      "earlier",
      `struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 3); __type(key, int); __type(value, int);
          __uint(pinning, 1); } hook_rules SEC(".maps");
        SEC("cgroup/sendmsg4") int send_ipv4(void *ctx) {
          int zero = 0; bpf_map_lookup_elem(&hook_rules, &zero); return 1;
        }`,
    );
    const first = open(directory, earlier);
    attach(first, "send_ipv4");
    const old = findLinks(directory).get("send_ipv4")?.id;
    const second = open(directory);
    expect(second.map("hook_rules").info).toMatchObject({ keySize: 4, valueSize: 32 });
    expect(findLinks(directory).get("send_ipv4")?.id).toBe(old ?? 0);
    expect(attach(second, "send_ipv4")).toBe("attached");
    expect(findLinks(directory).get("send_ipv4")?.id).not.toBe(old);
    expect(attach(open(directory), "send_ipv4")).toBe("adopted");
  });

  test("with other maps than those that are pinned is replaced", () => {
    const directory = createDirectory();
    attach(open(directory), "send_ipv4");
    const old = findLinks(directory).get("send_ipv4")?.id ?? 0;
    renameSync(join(directory, "container_rules"), join(directory, "elsewhere"));
    const programs = open(directory);
    expect(attach(programs, "send_ipv4")).toBe("attached");
    expect(findLinks(directory).get("send_ipv4")?.id).not.toBe(old);
    // And the next one finds nothing to do.
    expect(attach(open(directory), "send_ipv4")).toBe("adopted");
  });
});

const other = (source: string): Uint8Array => compilePrograms(workspace, `other${++count}`, source);

describe("the reason of a refusal is one line, with what the kernel said", () => {
  test.each([
    {
      what: "the verifier's",
      source: 'SEC("raw_tracepoint/sys_enter") int bad(void *ctx) { return *(volatile int *)16; }',
      reason: /^program bad: the kernel's verifier refuses it: R\d invalid mem access '\w+'$/,
      log: /invalid mem access[\s\S]*processed \d+ insns/,
    },
    {
      what: "an event that does not exist",
      source: 'SEC("raw_tracepoint/no_such_event") int bad(void *ctx) { return 0; }',
      reason:
        /^program bad: attaching it to the raw tracepoint no_such_event: no such file or directory \(the kernel does not have it\)$/,
      log: /^$/,
    },
    {
      what: "a tracepoint that does not exist",
      source: 'SEC("tracepoint/syscalls/sys_enter_nothing") int bad(void *ctx) { return 0; }',
      reason: /^program bad: the kernel has no tracepoint syscalls\/sys_enter_nothing$/,
      log: /^$/,
    },
    {
      what: "a function that does not exist",
      source: 'SEC("fentry/no_such_function") int bad(void *ctx) { return 0; }',
      reason: /^program bad: the kernel has no function no_such_function, or not in its BTF$/,
      log: /^$/,
    },
    {
      what: "a field that does not exist",
      source: `const volatile int offset__task_struct__no_such_field SEC(".rodata");
        SEC("raw_tracepoint/sys_enter") int bad(void *ctx) { return offset__task_struct__no_such_field; }`,
      reason: /^program bad: the kernel has no field task_struct\.no_such_field$/,
      log: /^$/,
    },
  ])("$what", ({ source, reason, log }) => {
    const attached = open(createDirectory(), other(source)).attach("bad");
    if (attached.ok) throw new Error("it is attached");
    expect(attached.error).toMatchObject({
      program: "bad",
      reason: expect.stringMatching(reason),
      log: expect.stringMatching(log),
    });
  });

  test("a program that the object does not contain", () => {
    expect(attach(open(createDirectory()), "none")).toBe("program none: the object does not contain it");
  });

  test("a directory outside of a bpf file system", () => {
    const directory = workspace.path("plain");
    mkdirSync(directory);
    expect(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot })).toEqual({
      ok: false,
      error: expect.stringMatching(/^OBJ_PIN .*\/plain\/\w+-unfinished: .*mount -t bpf bpf DIR\)$/),
    });
  });

  test("a root that is not one of cgroup v2", () => {
    const object = embeddedPrograms();
    const opened = openProgramSet({ object, directory: createDirectory(), cgroupRoot: "/tmp" });
    if (!opened.ok) throw new Error(opened.error);
    expect(attach(opened.value, "connect_ipv4")).toBe(
      "program connect_ipv4: attaching it to the root of the cgroup hierarchy: bad file descriptor (it is not a directory of cgroup v2)",
    );
  });
});

test("a bpf file system that is gone is an error of each call", () => {
  const directory = createDirectory();
  const programs = openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot });
  if (!programs.ok) throw new Error(programs.error);
  rmSync(directory, { recursive: true });
  expect(attach(programs.value, "send_ipv4")).toMatch(/^program send_ipv4: pinning it: ENOENT: /);
  expect(programs.value.attached()).toEqual({
    ok: false,
    error: expect.stringMatching(/^cannot read .*ENOENT/),
  });
  expect(programs.value.detach("send_ipv4")).toEqual({ ok: false, error: expect.stringMatching(/ENOENT/) });
});

test("a tracepoint's program runs, and its map counts", () => {
  const programs = open(
    createDirectory(),
    other(`struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int);
        __type(value, long); __uint(pinning, 1); } calls SEC(".maps");
      SEC("tracepoint/syscalls/sys_enter_chroot") int count(void *ctx) {
        int zero = 0; long *calls_ = bpf_map_lookup_elem(&calls, &zero);
        if (calls_) __sync_fetch_and_add(calls_, 1);
        return 0;
      }`),
  );
  expect(attach(programs, "count")).toBe("attached");
  Bun.spawnSync(["chroot", "/", "/bin/true"]);
  const counted = programs.map("calls").lookup(new Uint8Array(4));
  if (!counted.ok || counted.value === undefined) throw new Error("not counted");
  expect(new DataView(counted.value.buffer).getUint32(0, true)).toBeGreaterThan(0);
});

describe("a template", () => {
  const source = `struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, int);
      __type(value, long); __uint(pinning, 1); } calls SEC(".maps");
    const volatile int hook SEC(".rodata");
    SEC("tracepoint") int count(void *ctx) {
      int key = hook; long *found = bpf_map_lookup_elem(&calls, &key);
      if (found) __sync_fetch_and_add(found, 1);
      return 0;
    }`;
  const object = compilePrograms(workspace, "template", source);
  const instance = (number: number, call: string) => ({
    name: String(number),
    attach: { kind: "tracepoint", group: "syscalls", event: `sys_enter_${call}` } as const, // const: a kind
    constants: new Map([["hook", new Uint8Array(Int32Array.of(number).buffer)]]),
  });
  const attachInstance = (programs: ProgramSet, number: number, call: string): string => {
    const attached = programs.attach("count", instance(number, call));
    return attached.ok ? attached.value : attached.error.reason;
  };
  const instancesOf = (programs: ProgramSet): readonly string[] => {
    const instances = programs.instances("count");
    if (!instances.ok) throw new Error(instances.error);
    return instances.value.toSorted();
  };
  const openTemplate = (directory: string): ProgramSet => {
    const programs = open(directory, object);
    workspace.onClose(() => {
      for (const name of instancesOf(programs)) programs.detach("count", name);
    });
    return programs;
  };
  const countOf = (programs: ProgramSet, number: number): number => {
    const found = programs.map("calls").lookup(new Uint8Array(Int32Array.of(number).buffer));
    if (!found.ok || found.value === undefined) throw new Error("no count");
    return new DataView(found.value.buffer).getUint32(0, true);
  };
  const chroot = (): unknown => Bun.spawnSync(["chroot", "/", "/bin/true"]);

  test("is attached to several places, each with its own constants, and detached from one of them", async () => {
    const programs = openTemplate(createDirectory());
    expect([attachInstance(programs, 1, "chroot"), attachInstance(programs, 2, "acct")]).toEqual([
      "attached",
      "attached",
    ]);
    expect(attachInstance(programs, 3, "chroot")).toBe("attached");
    chroot();
    const [first, second, third] = [1, 2, 3].map((number) => countOf(programs, number));
    expect([first, second]).toEqual([third, 0]);
    expect(first).toBeGreaterThan(0);
    expect(programs.detach("count", "1")).toEqual({ ok: true, value: undefined });
    expect(instancesOf(programs)).toEqual(["2", "3"]);
    await waitFor("the end of the first", () => {
      const before = countOf(programs, 1);
      chroot();
      return countOf(programs, 1) === before;
    });
    expect(countOf(programs, 3)).toBeGreaterThan(first ?? 0);
  });

  test("is adopted by the next process with the same constants, and replaced for others", () => {
    const directory = createDirectory();
    const first = openTemplate(directory);
    attachInstance(first, 1, "chroot");
    first.close();
    const next = openTemplate(directory);
    expect(attachInstance(next, 1, "chroot")).toBe("adopted");
    expect(attachInstance(next, 1, "acct")).toBe("attached");
    expect([...instancesOf(next)]).toEqual(["1"]);
    expect(readdirSync(directory).filter((name) => name.startsWith("count-"))).toHaveLength(1);
    chroot();
    expect(countOf(next, 1)).toBe(0);
  });

  test("is not attached without an instance", () => {
    expect(attach(openTemplate(createDirectory()), "count")).toBe(
      "program count: its object does not name a place to attach it to",
    );
  });
});

test.each([
  { what: "has", event: "sys_enter_chroot", says: "probe attached\n" },
  {
    what: "does not have",
    event: "sys_enter_nothing",
    says: "probe program probe: the kernel has no tracepoint syscalls/sys_enter_nothing\n",
  },
])("no tracefs stays mounted for a tracepoint that the kernel $what", ({ event, says }) => {
  const objectFile = workspace.path(`${event}.o`);
  writeFileSync(objectFile, other(`SEC("tracepoint/syscalls/${event}") int probe(void *ctx) { return 0; }`));
  const [before, after] = [workspace.path(`${event}.before`), workspace.path(`${event}.after`)];
  const shell = `while umount /sys/kernel/tracing 2>/dev/null; do :; done
    cat /proc/self/mountinfo >${before}; "$@"; cat /proc/self/mountinfo >${after}`;
  const { stdout, stderr } = Bun.spawnSync([
    ...[findTool("unshare"), "--mount", "--propagation", "private", "sh", "-c", shell, "sh"],
    ...[process.execPath, script, objectFile, createDirectory(), cgroupRoot, "probe"],
  ]);
  expect(stdout.toString() + stderr).toBe(says);
  const mounts = readFileSync(after, "utf8");
  expect(mounts).toBe(readFileSync(before, "utf8"));
  expect(mounts).not.toContain(" /sys/kernel/tracing ");
});
