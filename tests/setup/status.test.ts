// SPDX-License-Identifier: Apache-2.0
// What an exec probe of a kubelet learns of `install --daemonize`, and what keeps two releases of a chart apart on a node.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { minimalEnv, type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { createInstallation, type Installation } from "./installation.ts";

const workspace = createWorkspace("sstat");
afterAll(() => workspace.close(), 60_000);

const ask = (socket: string) => runProcess([findSetup(), "status", "--status-socket", socket]);

/** In a pod of a cluster whose API server is not reached. */
const podEnv = { ...minimalEnv, KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: "1" };

const install = (host: Installation, flags: readonly string[]): RunningProcess =>
  startProcess(
    [
      ...[findSetup(), "install", "--daemonize", "--host-install-dir", host.installDir],
      ...["--oci-hooks.local-dir", host.hooksDir, "--local-binary", findHook(), ...flags],
    ],
    { env: podEnv },
    workspace,
  );

async function serve(host: Installation, flags: readonly string[]): Promise<RunningProcess> {
  const daemon = install(host, flags);
  await waitFor("the installation", () => daemon.stderr().includes("waiting for SIGTERM"), 60_000);
  return daemon;
}

const end = (daemon: RunningProcess) => {
  daemon.signal("SIGTERM");
  return daemon.exited;
};

describe("status", () => {
  test("is ready after the installation, not before, not while files differ, and not after the end", async () => {
    const host = createInstallation(workspace);
    const socket = workspace.path("status.sock");
    expect(await ask(socket)).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("not ready: ") });
    const daemon = await serve(host, ["--status-socket", socket]);
    expect(await ask(socket)).toMatchObject({ exitCode: 0, stdout: "ready\n" });
    daemon.signal("SIGSTOP");
    writeFileSync(host.conf, "{}");
    const asked = ask(socket);
    daemon.signal("SIGCONT");
    const answer = await asked;
    // Unless the daemon restored them first.
    if (answer.exitCode !== 0) expect(answer.stdout).toContain("were changed or removed");
    await waitFor("the files", async () => (await ask(socket)).exitCode === 0, 90_000);
    expect(readFileSync(host.conf, "utf8")).toContain("createRuntime");
    await end(daemon);
    expect((await ask(socket)).exitCode).toBe(1);
  }, 180_000);

  test("takes over the socket of a killed daemon, and not of a running one", async () => {
    const host = createInstallation(workspace);
    const socket = workspace.path("again.sock");
    const killed = await serve(host, ["--status-socket", socket]);
    killed.signal("SIGKILL");
    await killed.exited;
    const daemon = await serve(host, ["--status-socket", socket]);
    expect((await ask(socket)).exitCode).toBe(0);
    const third = await install(createInstallation(workspace), ["--status-socket", socket]).exited;
    expect(third).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("another program listens") });
    await end(daemon);
  }, 180_000);

  test("is not ready while the runtime does not call the plugin", async () => {
    const host = createInstallation(workspace);
    const socket = workspace.path("nri-status.sock");
    const daemon = install(host, [
      ...["--interface", "nri-hook", "--nri-hook.socket", workspace.path("none.sock")],
      ...["--status-socket", socket],
    ]);
    const seen = new Set<string>();
    await waitFor("the plugin's state", async () => {
      const { exitCode, stdout } = await ask(socket);
      expect(exitCode).toBe(1);
      return seen.add(stdout).has("not ready: the runtime does not call the NRI plugin\n");
    });
    await end(daemon);
  }, 180_000);
});

describe("of two DaemonSets", () => {
  const one = ["--daemonset", "one/tetragon-rthooks"];
  const two = ["--daemonset", "two/tetragon-rthooks"];

  test("the second one does not replace the hook of the first, nor its hook file", async () => {
    const host = createInstallation(workspace);
    const other = createInstallation(workspace, host.installDir);
    const first = await serve(host, one);
    const before = host.snapshot();
    expect(await install(other, two).exited).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("has the hook of the DaemonSet one/tetragon-rthooks"),
    });
    const elsewhere = workspace.path("elsewhere");
    expect(await install(host, [...two, "--host-install-dir", elsewhere]).exited).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("belongs to the DaemonSet one/tetragon-rthooks"),
    });
    expect(host.snapshot()).toEqual(before);
    await end(first);
  }, 180_000);

  test("each keeps its own files with directories and file names of their own", async () => {
    const host = createInstallation(workspace);
    const elsewhere = workspace.path("own-dir");
    const first = await serve(host, one);
    const second = await serve(host, [
      ...[...two, "--host-install-dir", elsewhere, "--oci-hooks.file-name", "two-oci-hook.json"],
    ]);
    const conf = join(host.hooksDir, "two-oci-hook.json");
    expect(readFileSync(conf, "utf8")).toContain(join(elsewhere, "tetragon-oci-hook"));
    expect((await host.uninstall()).exitCode).toBe(0);
    expect([existsSync(host.conf), existsSync(conf)]).toEqual([false, true]);
    expect(first.hasExited() || second.hasExited()).toBe(false);
    await Promise.all([end(first), end(second)]);
    expect(existsSync(conf) && existsSync(join(elsewhere, "tetragon-oci-hook"))).toBe(true);
  }, 180_000);

  test("the second one takes over the directory of a first one that does not run any more", async () => {
    const host = createInstallation(workspace);
    const first = await serve(host, one);
    first.signal("SIGKILL");
    await first.exited;
    await end(await serve(host, two));
    expect(existsSync(host.binary)).toBe(true);
  }, 180_000);
});

test("the files stay at the end of a pod when the API server does not say that its DaemonSet is deleted", async () => {
  const host = createInstallation(workspace);
  const done = await end(await serve(host, ["--daemonset", "kube-system/tetragon-rthooks"]));
  expect(done).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("installed files kept") });
  expect([existsSync(host.binary), existsSync(host.conf)]).toEqual([true, true]);
}, 180_000);

test.each<[string, readonly string[], string]>([
  ["no namespace", ["--daemonset", "tetragon"], "use NAMESPACE/NAME"],
  ["a path as a file name", ["--oci-hooks.file-name", "../x.json"], "must be a file name"],
])("%s is refused", async (_, flags, message) => {
  mkdirSync(workspace.path("unused"), { recursive: true });
  const done = await install(createInstallation(workspace), flags).exited;
  expect(done).toMatchObject({ stderr: expect.stringContaining(message) });
  expect(done.exitCode).not.toBe(0);
});
