// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCgroupResolver } from "./cgroup-resolver.ts";
import { type CgroupRoot, findCgroupRoot } from "./find-cgroup-root.ts";

const inode = (path: string): bigint => statSync(path, { bigint: true }).ino;

function openRoot(options: { cgroupRoot?: string; procfs?: string } = {}): CgroupRoot {
  const root = findCgroupRoot({ cgroupRoot: "", procfs: "/proc", ...options });
  if (!root.ok) throw new Error(root.error);
  return root.value;
}

describe("in the hierarchy of this machine", () => {
  const root = openRoot();
  const own = `/rthooks-agent-test-${process.pid}`;
  const made: string[] = [];
  const make = (path: string): string => {
    mkdirSync(root.path + path);
    made.push(root.path + path);
    return path;
  };
  beforeAll(() => void make(own));
  afterAll(() => {
    for (const path of made.reverse()) rmdirSync(path);
  });

  test("the id is the inode of the directory", () => {
    expect(root.isCgroupFileSystem).toBeTrue();
    const path = make(`${own}/plain`);
    const id = inode(root.path + path);
    expect(createCgroupResolver(root).resolve(path)).toEqual({ ok: true, value: { path, id } });
  });

  test("it is empty without processes in it and below", async () => {
    const path = make(`${own}/emptying`);
    const resolver = createCgroupResolver(root);
    const cgroup = { path, id: inode(root.path + path) };
    expect(resolver.isEmpty(cgroup)).toBeTrue();
    const child = make(`${path}/child`);
    for (const place of [path, child]) {
      const process = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
      try {
        writeFileSync(`${root.path}${place}/cgroup.procs`, `${process.pid}`);
        expect(resolver.isEmpty(cgroup)).toBeFalse();
      } finally {
        process.kill();
        await process.exited;
      }
      if (root.mode !== "v1") expect(resolver.isEmpty(cgroup)).toBeTrue();
    }
    expect(resolver.isEmpty({ path: `${own}/never-made`, id: 1n })).toBeTrue();
  });

  test("its state does not change when its process moves into a child, as crun's does", async () => {
    const path = make(`${own}/crun`);
    const child = make(`${path}/container`);
    const process = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
    try {
      writeFileSync(`${root.path}${child}/cgroup.procs`, `${process.pid}`);
      const resolver = createCgroupResolver(root);
      const cgroup = { path, id: inode(root.path + path) };
      expect(resolver.resolve(path)).toEqual({ ok: true, value: cgroup });
      expect(resolver.inspect(cgroup)).toBe("exists");
    } finally {
      process.kill();
      await process.exited;
    }
  });

  test("pods and other containers below it are found, at any depth", () => {
    const uid = "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9";
    const find = (path: string) =>
      createCgroupResolver(root).findForeignBelow({ path, id: inode(root.path + path) });
    const parent = make(`${own}/above`);
    const plain = make(`${parent}/plain`);
    expect(find(parent)).toBeUndefined();
    const pod = make(`${plain}/pod${uid}`);
    expect(find(parent)).toBe(pod);
    const docker = make(`${own}/docker`);
    const container = make(`${docker}/${"ab".repeat(32)}`);
    expect(find(docker)).toBe(container);
    expect(find(pod)).toBeUndefined();
  });

  test("the message names the missing element", () => {
    const resolver = createCgroupResolver(root);
    const message = `no cgroup ${own}/missing below ${root.path}`;
    expect(resolver.resolve(`${own}/missing`)).toEqual({
      ok: false,
      error: { kind: "cgroup-missing", message },
    });
    expect(resolver.resolve(`${own}/missing/a/b`)).toMatchObject({
      error: {
        message: `no cgroup ${own}/missing/a/b below ${root.path}; ${own}/missing is the first element that does not exist`,
      },
    });
  });

  test("a cgroup that exists in a version 1 hierarchy only: the message names the hierarchy", () => {
    const v1Roots = [mkdtempSync(join(tmpdir(), "rthooks-v1-")), "/nowhere"];
    mkdirSync(join(v1Roots[0] ?? "", "c1"));
    const { error } = { error: undefined, ...createCgroupResolver({ ...root, v1Roots }).resolve("/c1") };
    expect(error).toMatchObject({
      message: expect.stringContaining(`it exists in version 1 hierarchies only (${v1Roots[0]})`),
    });
    rmSync(v1Roots[0] ?? "", { recursive: true });
  });

  test("a file is not a cgroup", () => {
    expect(createCgroupResolver(root).resolve(`${own}/cgroup.procs`)).toMatchObject({
      error: { kind: "cgroup-missing" },
    });
  });

  test("a cgroup that was removed, or created again, is gone", () => {
    const path = `${own}/shortlived`;
    const resolver = createCgroupResolver(root);
    mkdirSync(root.path + path);
    const cgroup = { path, id: inode(root.path + path) };
    expect(resolver.inspect(cgroup)).toBe("exists");
    rmdirSync(root.path + path);
    expect(resolver.inspect(cgroup)).toBe("gone");
    mkdirSync(root.path + path);
    expect(resolver.inspect(cgroup)).toBe("gone");
    rmdirSync(root.path + path);
  });
});

describe("below a root that was given", () => {
  const directory = mkdtempSync(join(tmpdir(), "rthooks-cgroup-"));
  const root = join(directory, "root");
  beforeAll(() => {
    mkdirSync(join(root, "inside"), { recursive: true });
    mkdirSync(join(directory, "outside"));
    symlinkSync("../outside", join(root, "link"));
    symlinkSync("inside", join(root, "inner-link"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test("a directory is found", () => {
    const resolved = createCgroupResolver(openRoot({ cgroupRoot: root })).resolve("/inside");
    expect(resolved).toEqual({ ok: true, value: { path: "/inside", id: inode(join(root, "inside")) } });
  });

  test.each([
    { name: "has processes in it or below", events: "populated 1\nfrozen 0\n", isEmpty: false },
    { name: "has none", events: "populated 0\nfrozen 0\n", isEmpty: true },
    { name: "has no populated line", events: "", isEmpty: false },
  ])("version 2's cgroup.events $name", ({ events, isEmpty }) => {
    const file = join(root, "inside", "cgroup.events");
    writeFileSync(file, events);
    const resolver = createCgroupResolver(openRoot({ cgroupRoot: root }));
    expect(resolver.isEmpty({ path: "/inside", id: 1n })).toBe(isEmpty);
    rmSync(file);
  });

  test.each(["/link", "/inner-link", "/link/.", "/inner-link/x"])("a symlink is refused: %s", (path) => {
    const resolved = createCgroupResolver(openRoot({ cgroupRoot: root })).resolve(path);
    expect(resolved).toMatchObject({
      error: { kind: "bad-request", message: expect.stringContaining("symlink") },
    });
  });

  test("another file system is outside of the root", () => {
    const resolved = createCgroupResolver({
      path: "/",
      mode: "given",
      isCgroupFileSystem: true,
      v1Roots: [],
    }).resolve("/proc");
    expect(resolved).toMatchObject({
      error: { kind: "bad-request", message: expect.stringContaining("is outside of") },
    });
  });

  test.each([
    { name: "missing", path: "/nowhere/at/all" },
    { name: "a file", path: "/etc/hostname" },
  ])("a root that is $name is refused", ({ path }) => {
    expect(findCgroupRoot({ cgroupRoot: path, procfs: "/proc" })).toMatchObject({ ok: false });
  });

  test("no cgroup is gone or empty while the hierarchy is not accessible", () => {
    const place = join(directory, "mounted");
    mkdirSync(join(place, "c1"), { recursive: true });
    const resolver = createCgroupResolver(openRoot({ cgroupRoot: place }));
    const cgroup = { path: "/c1", id: inode(join(place, "c1")) };
    expect([resolver.inspect(cgroup), resolver.isEmpty(cgroup), resolver.problem()]).toEqual([
      "exists",
      true,
      "",
    ]);
    renameSync(place, `${place}-away`);
    for (const isMadeAgain of [false, true]) {
      if (isMadeAgain) mkdirSync(place);
      expect([resolver.inspect(cgroup), resolver.isEmpty(cgroup)]).toEqual(["unreadable", false]);
      expect(resolver.problem()).toContain(place);
    }
    rmSync(place, { recursive: true });
    renameSync(`${place}-away`, place);
    rmSync(join(place, "c1"), { recursive: true });
    expect([resolver.inspect(cgroup), resolver.isEmpty(cgroup)]).toEqual(["gone", true]);
  });

  test("with the host's procfs at another path, the host's mounts are used", () => {
    const procfs = join(directory, "proc");
    mkdirSync(join(procfs, "1"), { recursive: true });
    symlinkSync("/", join(procfs, "1", "root"));
    writeFileSync(join(procfs, "1", "mountinfo"), "41 31 0:38 / /etc rw - cgroup2 cgroup2 rw\n");
    expect(openRoot({ procfs })).toMatchObject({ path: `${procfs}/1/root/etc`, mode: "v2" });
  });

  test("without access to the host's root, the agent's own mounts are used", () => {
    expect(openRoot({ procfs: join(directory, "nowhere") })).toEqual(openRoot());
  });
});
