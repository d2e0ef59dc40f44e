// SPDX-License-Identifier: Apache-2.0
// The installed files belong to the run that installed last. No other run removes or changes them.
import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Finished, type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createInstallation, type Installation } from "./installation.ts";

const workspace = createWorkspace("owners");
afterAll(() => workspace.close(), 60_000);

const isWhole = ({ binary, conf }: Installation): boolean =>
  existsSync(conf) &&
  existsSync(binary) &&
  statSync(binary).size === statSync(findHook()).size &&
  (statSync(binary).mode & 0o7777) === 0o755 &&
  readFileSync(conf, "utf8").includes(binary);

async function end(daemon: RunningProcess): Promise<Finished> {
  daemon.signal("SIGTERM");
  return daemon.exited;
}

const isReleased = (daemon: RunningProcess): boolean =>
  daemon.stderr().includes("no longer watching its files");

describe("a daemon", () => {
  test("removes the hook file before the hook at exit, and every other file", async () => {
    const host = createInstallation(workspace);
    const done = await end(await host.startDaemon());
    expect(done.exitCode).toBe(0);
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
    expect(done.stderr.indexOf("removed conf")).toBeLessThan(done.stderr.indexOf("removed binary"));
  }, 180_000);

  test("--keep-on-exit keeps both, without an owner mark", async () => {
    const host = createInstallation(workspace);
    expect((await end(await host.startDaemon(["--keep-on-exit"]))).exitCode).toBe(0);
    expect(isWhole(host)).toBe(true);
    expect(host.notes()).toEqual([".tetragon-oci-hook.callers"]);
  }, 180_000);

  test("a SIGTERM during the installation takes effect after it, and every file is removed", async () => {
    const host = createInstallation(workspace);
    const daemon = startProcess(
      [
        ...[findSetup(), "install", "--daemonize", "--host-install-dir", host.installDir],
        ...["--oci-hooks.local-dir", host.hooksDir, "--local-binary", findHook()],
      ],
      {},
      workspace,
    );
    await waitFor("a part of the installation", () => existsSync(host.binary), 60_000);
    expect((await end(daemon)).exitCode).toBe(0);
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
  }, 180_000);

  const damages: readonly { readonly name: string; damage(host: Installation): void }[] = [
    { name: "the hook is removed", damage: ({ binary }) => rmSync(binary) },
    { name: "the configuration is removed", damage: ({ conf }) => rmSync(conf) },
    { name: "the hook is changed", damage: ({ binary }) => writeFileSync(binary, "#!/bin/sh\n") },
    { name: "the configuration is changed", damage: ({ conf }) => writeFileSync(conf, "{}") },
    { name: "the hook is not executable any more", damage: ({ binary }) => chmodSync(binary, 0o644) },
    {
      name: "both directories are removed",
      damage({ installDir, hooksDir }) {
        rmSync(installDir, { recursive: true });
        rmSync(hooksDir, { recursive: true });
      },
    },
  ];
  test.each(damages)(
    "logs it and restores the files when $name",
    async ({ damage }) => {
      const host = createInstallation(workspace);
      const daemon = await host.startDaemon();
      damage(host);
      await waitFor("the files", () => isWhole(host) && daemon.stderr().includes("restoring"), 90_000);
      expect((await end(daemon)).exitCode).toBe(0);
      expect(existsSync(host.conf) || existsSync(host.binary)).toBe(false);
    },
    60_000,
  );

  test("reports files that it cannot restore, and restores them when it can", async () => {
    const host = createInstallation(workspace);
    const daemon = await host.startDaemon();
    rmSync(host.hooksDir, { recursive: true });
    writeFileSync(host.hooksDir, "in the way");
    await waitFor("the error", () => daemon.stderr().includes("cannot restore installed files"), 90_000);
    rmSync(host.hooksDir);
    await waitFor("the files", () => isWhole(host), 60_000);
    await end(daemon);
  }, 120_000);
});

describe("of two daemons the later one owns the files", () => {
  test("the exit of the earlier one removes nothing, and the later one keeps the files", async () => {
    const host = createInstallation(workspace);
    const earlier = await host.startDaemon();
    const later = await host.startDaemon();
    await end(earlier);
    expect(isWhole(host)).toBe(true);
    rmSync(host.conf);
    await waitFor("the configuration", () => isWhole(host), 90_000);
    await end(later);
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
  }, 180_000);

  test("the earlier one stops watching them: a removed file is restored once", async () => {
    const host = createInstallation(workspace);
    const earlier = await host.startDaemon();
    const later = await host.startDaemon();
    await waitFor("the earlier one lets go", () => isReleased(earlier), 90_000);
    rmSync(host.binary);
    await waitFor("the hook", () => isWhole(host), 90_000);
    expect(earlier.stderr()).not.toContain("restoring");
    await end(later);
    await end(earlier);
  }, 180_000);

  test("each removes its own hook file if they share a hook", async () => {
    const host = createInstallation(workspace);
    const other = createInstallation(workspace, host.installDir);
    const earlier = await host.startDaemon();
    const later = await other.startDaemon();
    await end(earlier);
    expect([existsSync(host.conf), isWhole(other)]).toEqual([false, true]);
    await end(later);
    expect(existsSync(host.binary)).toBe(false);
  }, 180_000);

  test("each removes its own hook if they share a hook file", async () => {
    const host = createInstallation(workspace);
    const elsewhere = workspace.path("elsewhere");
    const earlier = await host.startDaemon();
    const later = await host.startDaemon(["--host-install-dir", elsewhere]);
    await end(earlier);
    expect(existsSync(host.binary)).toBe(false);
    expect(readFileSync(host.conf, "utf8")).toContain(join(elsewhere, "tetragon-oci-hook"));
    await end(later);
    expect(existsSync(host.conf)).toBe(false);
  }, 180_000);
});

describe("while a daemon runs", () => {
  test("another install owns the files, which stay at the daemon's exit", async () => {
    const host = createInstallation(workspace);
    const daemon = await host.startDaemon();
    expect((await host.install()).exitCode).toBe(0);
    await end(daemon);
    expect(isWhole(host)).toBe(true);
  }, 180_000);

  test("uninstalled files are not restored", async () => {
    const host = createInstallation(workspace);
    const daemon = await host.startDaemon();
    expect((await host.uninstall()).exitCode).toBe(0);
    await waitFor(
      "the daemon lets go",
      () => daemon.stderr().split("no longer watching").length === 3,
      30_000,
    );
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
    expect((await end(daemon)).exitCode).toBe(0);
  }, 180_000);
});

describe("a hook with references is not removed", () => {
  /** OCI specs need no more to be read as such. */
  const createSpec = (...hooks: readonly object[]): string =>
    JSON.stringify({ ociVersion: "1.0.2", hooks: { createContainer: hooks } });

  interface Reference {
    readonly name: string;
    /** Gives the path that is to be named. */
    create(host: Installation): Promise<string>;
  }
  const references: readonly Reference[] = [
    {
      name: "another hooks directory",
      async create(host) {
        const other = createInstallation(workspace, host.installDir);
        await other.install();
        return other.conf;
      },
    },
    {
      name: "a base spec that this tool has written",
      async create(host) {
        const dir = workspace.path(`etc-${host.installDir.split("/").at(-2)}`);
        mkdirSync(dir);
        writeFileSync(join(dir, "config.toml"), "version = 2\n");
        writeFileSync(join(dir, "spec.json"), createSpec());
        const base = join(dir, "base.json");
        await runProcess([
          ...[findSetup(), "patch-containerd-conf", "add-oci-hook", "--in-place", "--base-spec", base],
          ...["--config-file", join(dir, "config.toml"), "--from-spec", join(dir, "spec.json")],
          ...["--oci-hook-path", host.binary],
        ]);
        return base;
      },
    },
  ];
  test.each(references)(
    "$name",
    async ({ create }) => {
      const host = createInstallation(workspace);
      await host.install();
      const path = await create(host);
      const before = host.snapshot();
      const done = await host.uninstall();
      expect({ code: done.exitCode, stderr: done.stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(path),
      });
      expect(host.snapshot()).toEqual(before);
      const forced = await host.uninstall(["--force"]);
      expect({ code: forced.exitCode, stderr: forced.stderr }).toEqual({
        code: 0,
        stderr: expect.stringContaining(path),
      });
      expect(existsSync(host.binary)).toBe(false);
    },
    60_000,
  );

  test("a base spec that any file of the node's configuration names", async () => {
    const host = createInstallation(workspace);
    await host.install();
    const root = workspace.path("node");
    const dir = join(root, "etc/containerd");
    mkdirSync(join(dir, "conf.d"), { recursive: true });
    writeFileSync(join(dir, "config.toml"), 'version = 2\nimports = ["conf.d/*.toml"]\n');
    writeFileSync(
      join(dir, "conf.d/x.toml"),
      '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.x]\nbase_runtime_spec = "/etc/base.json"\n',
    );
    const flags = [
      "--host-root",
      root,
      "--host-install-dir",
      "/opt/t",
      "--local-install-dir",
      host.installDir,
    ];
    writeFileSync(
      join(root, "etc/base.json"),
      createSpec({ path: "/bin/sh", args: ["sh", "-c", "exec /opt/t/tetragon-oci-hook createRuntime"] }),
    );
    const done = await host.uninstall(flags);
    expect({ code: done.exitCode, stderr: done.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("/etc/base.json"),
    });
    writeFileSync(join(root, "etc/base.json"), createSpec());
    expect((await host.uninstall(flags)).exitCode).toBe(0);
  }, 180_000);

  test("a daemon at its exit keeps the hook, and removes its hook file", async () => {
    const host = createInstallation(workspace);
    const other = createInstallation(workspace, host.installDir);
    await other.install();
    const daemon = await host.startDaemon();
    const done = await end(daemon);
    expect({ code: done.exitCode, stderr: done.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(other.conf),
    });
    expect([existsSync(host.conf), isWhole(other)]).toEqual([false, true]);
  }, 180_000);

  test("a loader that another hook file needs is kept", async () => {
    const host = createInstallation(workspace);
    const other = createInstallation(workspace, host.installDir);
    await other.install(["--libc", "bundled"]);
    const [, loader = ""] = /"path": "(\S+)"/.exec(readFileSync(other.conf, "utf8")) ?? [];
    expect(loader).toContain("ld-linux-");
    await host.install(["--libc", "host"]);
    expect(existsSync(loader)).toBe(true);
    appendFileSync(other.conf, " ");
    await other.install(["--libc", "host"]);
    expect(existsSync(loader)).toBe(false);
  }, 180_000);

  test("a hook of another name in the same directory keeps its loader", async () => {
    const host = createInstallation(workspace);
    await host.install(["--libc", "bundled"]);
    const source = workspace.path("other-hook");
    linkSync(findHook(), source);
    expect((await host.install(["--libc", "bundled", "--local-binary", source])).exitCode).toBe(0);
    const [, loader = ""] = /"path": "(\S+)"/.exec(readFileSync(host.conf, "utf8")) ?? [];
    expect((await host.uninstall(["--binary-name", "other-hook"])).exitCode).toBe(0);
    expect([existsSync(loader), existsSync(join(host.installDir, "other-hook"))]).toEqual([true, false]);
    expect((await host.uninstall()).exitCode).toBe(0);
    expect([...host.snapshot(), ...host.notes()]).toEqual([]);
  }, 180_000);
});
