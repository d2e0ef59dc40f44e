// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { runProcess, startProcess } from "../harness/process.ts";
import { findHook, findSetup, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createInstallation, fakeVersion, type Installation, writeFakeHook } from "./installation.ts";

const workspace = createWorkspace("setup");
afterAll(() => workspace.close(), 60_000);

const readConf = ({ conf }: Installation): unknown => JSON.parse(readFileSync(conf, "utf8"));

async function mustRun(argv: readonly string[]): Promise<void> {
  const done = await runProcess(argv);
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
}

describe("install", () => {
  test("installs the hook and a hook file that calls it", async () => {
    const host = createInstallation(workspace);
    const done = await host.install([], ["--grpc-timeout", "2500ms", "--fail-allow-namespaces", "a,b"]);
    expect(done).toMatchObject({ exitCode: 0, stdout: "" });
    expect(done.stderr).toContain('msg="written binary"');
    expect(done.stderr).toContain('msg="written conf"');
    expect(readConf(host)).toEqual({
      version: "1.0.0",
      hook: {
        path: host.binary,
        args: [
          ...[host.binary, "createRuntime", "--log-fname", join(host.installDir, "tetragon-oci-hook.log")],
          ...["--grpc-timeout", "2500ms", "--fail-allow-namespaces", "a,b"],
        ],
        env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "BUN_JSC_useWarmUpMarkedBlocks=0"],
        timeout: 8,
      },
      when: { always: true },
      stages: ["createRuntime"],
    });
    expect(readFileSync(host.binary).equals(readFileSync(findHook()))).toBe(true);
    expect(statSync(host.binary).mode & 0o7777).toBe(0o755);
    expect(statSync(host.conf).mode & 0o7777).toBe(0o644);
    const before = host.snapshot();
    expect(before).toHaveLength(2);
    const again = await host.install([], ["--grpc-timeout", "2500ms", "--fail-allow-namespaces", "a,b"]);
    expect(again.stderr).toContain("up to date");
    expect(host.snapshot()).toEqual(before);
  }, 60_000);

  test("writes the hook file that print-config prints, with additions", async () => {
    const { stdout } = await runProcess([findSetup(), "print-config", "--binary", "/x/hook"]);
    expect(stdout).toStartWith('{\n   "version": "1.0.0"');
    expect(JSON.parse(stdout)).toMatchObject({
      hook: { path: "/x/hook", args: ["/x/hook", "createRuntime"] },
    });
    const nri = await runProcess([findSetup(), "print-config", "--interface", "nri-hook", "--args", "a,b"]);
    expect(JSON.parse(nri.stdout)).toMatchObject({ hooks: { createRuntime: [{ args: ["a", "b"] }] } });
  });
});

describe("a failure keeps the previous files, and is reported in one line", () => {
  let host: Installation;
  let before: readonly string[];
  beforeAll(async () => {
    host = createInstallation(workspace);
    await host.install();
    before = host.snapshot();
  }, 60_000);

  const expectRefused = async (
    flags: readonly string[],
    says: string,
    hookArgs: readonly string[] = [],
  ): Promise<void> => {
    const done = await host.install(flags, hookArgs);
    expect(done.exitCode).toBe(1);
    const [line = "", ...others] = done.stderr
      .trim()
      .split("\n")
      .filter((text) => text.includes("level=error"));
    expect(line).toContain(says);
    expect(others).toEqual([]);
    expect(host.snapshot()).toEqual(before);
  };

  test(
    "arguments that the hook does not take",
    () => expectRefused([], "--nonsense", ["--nonsense"]),
    60_000,
  );
  test(
    "an expression that is none",
    () => expectRefused([], "--fail-cel-expr", ["--fail-cel-expr", "((("]),
    60_000,
  );
  test("no such hook", () => expectRefused(["--local-binary", "/nowhere/hook"], "no such file"));
  test("an empty hook", async () => {
    const empty = workspace.path("tetragon-oci-hook");
    writeFileSync(empty, "");
    await expectRefused(["--local-binary", empty], "empty");
  });
  test("a hook that is not a program", async () => {
    const garbage = writeFakeHook(workspace, "");
    writeFileSync(garbage, "\0\0\0");
    await expectRefused(["--local-binary", garbage, "--libc", "host"], "does not run");
  });
  test("a hook that fails", () =>
    expectRefused(
      ["--local-binary", writeFakeHook(workspace, "echo no >&2; exit 3"), "--libc", "host"],
      "no",
    ));
  test("a hook that prints something else", () =>
    expectRefused(
      ["--local-binary", writeFakeHook(workspace, "echo hello"), "--libc", "host"],
      "does not run",
    ));
  test("a newer version in place", async () => {
    const other = createInstallation(workspace);
    const newer = writeFakeHook(workspace, fakeVersion("99.0.0"));
    expect((await other.install(["--local-binary", newer])).exitCode).toBe(0);
    const kept = other.snapshot();
    const done = await other.install();
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain("version 99.0.0, newer than");
    expect(other.snapshot()).toEqual(kept);
    expect((await other.install(["--force"])).exitCode).toBe(0);
    expect(readFileSync(other.binary).equals(readFileSync(findHook()))).toBe(true);
  }, 60_000);
  test("a hooks directory that cannot be created", async () => {
    const file = workspace.path("a-file");
    writeFileSync(file, "");
    const other = createInstallation(workspace);
    const done = await other.install(["--oci-hooks.local-dir", join(file, "hooks.d")]);
    expect(done.exitCode).toBe(1);
    // The binary was in place by then, and is taken back.
    expect(other.snapshot()).toEqual([]);
  }, 60_000);

  describe("a file system", () => {
    const mount = async (options: string): Promise<Installation> => {
      const directory = workspace.path(`mnt-${Bun.hash(options).toString(36)}`);
      mkdirSync(directory);
      await mustRun([findTool("mount"), "-t", "tmpfs", "-o", `mode=755,${options}`, "tmpfs", directory]);
      workspace.onClose(() => mustRun([findTool("umount"), directory]));
      return createInstallation(workspace, directory);
    };
    for (const [name, options, says] of [
      ["that is read-only", "ro", "read-only file system: choose another directory"],
      ["mounted noexec", "noexec", "mounted noexec"],
      ["without room", "size=1m", "no space left"],
    ] as const) {
      test(name, async () => {
        const other = await mount(options);
        const done = await other.install();
        expect(done.exitCode).toBe(1);
        expect(done.stderr).toContain(says);
        expect(other.snapshot()).toEqual([]);
      }, 60_000);
    }
  });

  test("a killed installer leaves the old pair or the new one, and never a hook file without a hook", async () => {
    const other = createInstallation(workspace);
    const argv = [
      ...[
        findSetup(),
        "install",
        "--host-install-dir",
        other.installDir,
        "--oci-hooks.local-dir",
        other.hooksDir,
      ],
      ...["--local-binary", findHook()],
    ];
    for (let round = 0; round < 12; round++) {
      const running = startProcess(argv, {}, workspace);
      await Bun.sleep(round * 40);
      running.signal("SIGKILL");
      await running.exited;
      const conf = await Bun.file(other.conf).exists();
      const binary = await Bun.file(other.binary).exists();
      if (conf) expect(binary).toBe(true);
      if (binary) expect(readFileSync(other.binary).equals(readFileSync(findHook()))).toBe(true);
      if (conf) expect(readConf(other)).toMatchObject({ hook: { path: other.binary } });
    }
    expect((await other.install()).exitCode).toBe(0);
    // Nothing of the killed ones stays: no half program, no lock.
    expect(other.notes()).toEqual([".tetragon-oci-hook.callers"]);
    expect((await other.uninstall()).exitCode).toBe(0);
    expect(other.notes()).toEqual([]);
  }, 120_000);
});

describe("only root may change what root runs", () => {
  const setOwner = (path: string): void => chownSync(path, 65534, 65534);
  test.each([
    { name: "the directory is another user's", spoil: (host: Installation) => setOwner(host.installDir) },
    { name: "others can write it", spoil: (host: Installation) => chmodSync(host.installDir, 0o777) },
    {
      name: "others can create files in it",
      spoil: (host: Installation) => chmodSync(host.installDir, 0o1777),
    },
    { name: "a group can write it", spoil: (host: Installation) => chmodSync(host.installDir, 0o775) },
    {
      name: "its parent directory is another user's",
      spoil: (host: Installation) => setOwner(dirname(host.installDir)),
    },
    { name: "the hooks directory is another user's", spoil: (host: Installation) => setOwner(host.hooksDir) },
  ])("$name: rejected, and nothing is written", async ({ spoil }) => {
    const host = createInstallation(workspace);
    mkdirSync(host.installDir);
    spoil(host);
    const done = await host.install();
    expect({ code: done.exitCode, stderr: done.stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /level=error msg="\S+ (belongs to user 65534|is writable by others|\S+ belongs)/,
      ),
    });
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
  });

  test("a link to another user's directory is rejected", async () => {
    const host = createInstallation(workspace);
    const real = workspace.path("of-another");
    mkdirSync(real);
    setOwner(real);
    symlinkSync(real, host.installDir);
    expect((await host.install()).exitCode).toBe(1);
    expect(readdirSync(real)).toEqual([]);
  });

  test("installed files that others can write are replaced, even with the same content", async () => {
    const host = createInstallation(workspace);
    await host.install();
    setOwner(host.binary);
    chmodSync(host.conf, 0o666);
    expect((await host.install()).exitCode).toBe(0);
    expect([statSync(host.binary).uid, statSync(host.conf).mode & 0o777]).toEqual([0, 0o644]);
  }, 60_000);
});

test("a hook file of that name that calls another hook is not replaced without --force", async () => {
  const host = createInstallation(workspace);
  writeFileSync(host.conf, '{"version":"1.0.0","hook":{"path":"/bin/true"},"when":{},"stages":[]}');
  const before = host.snapshot();
  const done = await host.install();
  expect({ code: done.exitCode, stderr: done.stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`${host.conf} calls another hook`),
  });
  expect(host.snapshot().filter((line) => !line.includes(host.installDir))).toEqual(
    before.filter((line) => !line.includes(host.installDir)),
  );
  expect((await host.install(["--force"])).exitCode).toBe(0);
}, 60_000);

describe("uninstall", () => {
  test("removes the installed files, and warns about missing ones", async () => {
    const host = createInstallation(workspace);
    await host.install(["--libc", "bundled"]);
    expect(host.snapshot().length).toBeGreaterThan(3);
    expect((await host.uninstall()).exitCode).toBe(0);
    expect(host.snapshot()).toEqual([]);
    expect(host.notes()).toEqual([]);
    const again = await host.uninstall();
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain("level=warn");
  }, 60_000);

  test("keeps a hook file of that name that calls another program, and the binary", async () => {
    const host = createInstallation(workspace);
    await host.install();
    writeFileSync(host.conf, '{"version":"1.0.0","hook":{"path":"/bin/true"},"when":{},"stages":[]}');
    const before = host.snapshot();
    const done = await host.uninstall();
    expect(done.exitCode).toBe(1);
    expect(done.stderr).toContain("does not call tetragon-oci-hook");
    expect(host.snapshot()).toEqual(before);
  }, 60_000);

  test("accepts a file name, not a path", async () => {
    const host = createInstallation(workspace);
    expect((await host.uninstall(["--binary-name", "../x"])).exitCode).toBe(2);
  });
});

test("NRI needs --daemonize", async () => {
  const host = createInstallation(workspace);
  const done = await host.install(["--interface", "nri-hook"]);
  expect(done.exitCode).toBe(1);
  expect(done.stderr).toContain("NRI hook setup needs to be daemonized");
  expect(host.snapshot()).toEqual([`${host.installDir}: none`]);
});

describe("the command line", () => {
  const run = (...argv: readonly string[]) => runProcess([findSetup(), ...argv]);
  test("prints its commands, and the flags of each", async () => {
    expect((await run("--help")).stdout).toContain("print-config");
    expect((await run("install", "--help")).stdout).toContain("--nri-hook.index");
    expect((await run("--version")).stdout).toMatch(/^tetragon-oci-hook-setup \d/);
    expect((await run()).exitCode).toBe(2);
  });
  test("reports errors", async () => {
    const unknown = await run("instal");
    expect([unknown.exitCode, unknown.stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect((await run("install", "--libc", "musl")).stderr).toContain("auto, host, bundled");
    expect((await run("uninstall", "stray")).stderr).toContain("stray");
  });
});
