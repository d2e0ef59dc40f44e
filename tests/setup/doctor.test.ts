// SPDX-License-Identifier: Apache-2.0
// The advised commands are run as printed, except for the runtime's restart, and doctor is run again.
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRootFs } from "../harness/bundle.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findSetup, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("doctor");
afterAll(() => workspace.close(), 60_000);

/** A node whose only programs are a static busybox and what the tests put there. */
function createNode(name: string): string {
  const root = workspace.path(name);
  createRootFs(root);
  return root;
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function writeProgram(root: string, path: string, says: string): void {
  write(root, path, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(join(root, path), 0o755);
}

const run = (...argv: readonly string[]): Promise<Finished> =>
  runProcess([findSetup(), ...argv], { killAfterMs: 60_000 });

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly fix: readonly string[];
}

async function diagnose(root: string): Promise<Readonly<Record<string, Finding>>> {
  const { stdout, exitCode } = await run("doctor", "--root", root, "-o", "json");
  const { findings }: { findings: readonly Finding[] } = JSON.parse(stdout);
  expect(exitCode).toBe(findings.some(({ status }) => status === "fail") ? 3 : 0);
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

/** By a shell, as an operator would. */
async function follow(
  finding: Finding | undefined,
  isLeftOut: (command: string) => boolean,
): Promise<number> {
  const commands = (finding?.fix ?? []).filter((command) => !isLeftOut(command));
  for (const command of commands) {
    const env = { PATH: `${dirname(findSetup())}:/usr/sbin:/usr/bin:/sbin:/bin` };
    const done = await runProcess([findTool("sh"), "-c", command], { env, killAfterMs: 60_000 });
    expect({ command, exitCode: done.exitCode, stderr: done.stderr }).toMatchObject({ exitCode: 0 });
  }
  return commands.length;
}

const isRestart = (command: string): boolean => command.includes("systemctl");

test("containerd 1.7 with NRI off", async () => {
  const root = createNode("nri");
  writeProgram(root, "usr/bin/containerd", "containerd github.com/containerd/containerd 1.7.24~ds1 x");
  const config = `version = 2\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri"] # mine\n`;
  write(root, "etc/containerd/config.toml", config);
  const { nri, runtime } = await diagnose(root);
  expect(runtime?.message).toStartWith("containerd 1.7.24, configured by /etc/containerd/config.toml");
  expect(nri).toMatchObject({ status: "fail", message: "NRI is off (the version's default)" });
  expect(await follow(nri, (command) => isRestart(command) || command.includes("--daemonize"))).toBe(1);
  expect(readFileSync(join(root, "etc/containerd/config.toml"), "utf8")).toStartWith(config);
  const message = expect.stringMatching(/^NRI is on, but nothing listens on/);
  expect((await diagnose(root))["nri"]).toMatchObject({ message });
}, 60_000);

test("CRI-O on a host without a C library of its own", async () => {
  const root = createNode("crio");
  writeProgram(root, "usr/bin/crio", "crio version 1.37.0-dev");
  write(root, "etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["/etc/hooks.d"]\n`);
  mkdirSync(join(root, "proc"), { recursive: true });
  await runProcess([findTool("mount"), "-t", "proc", "proc", join(root, "proc")]);
  workspace.onClose(() => runProcess([findTool("umount"), join(root, "proc")]));
  const before = await diagnose(root);
  expect(before["runtime"]?.message).toStartWith("cri-o 1.37.0-dev");
  expect(before["hook"]).toBeUndefined();
  expect(await follow(before["wiring"], isRestart)).toBe(1);
  const after = await diagnose(root);
  expect(after["wiring"]).toMatchObject({ status: "ok" });
  expect(after["hook"]).toMatchObject({ status: "ok" });
}, 60_000);

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  test("its default configuration, and the version of its program", async () => {
    const root = createNode(`default-${release.version}`);
    const containerd = join(release.binDir, "containerd");
    const { stdout: version } = await runProcess([containerd, "--version"]);
    const { stdout: config } = await runProcess([containerd, "config", "default"]);
    writeProgram(root, "usr/local/bin/containerd", version.trim());
    write(root, "etc/containerd/config.toml", config);
    const { stdout } = await run("detect", "--root", root, "-o", "json");
    const isOn = release.version.startsWith("2");
    expect(JSON.parse(stdout)).toMatchObject({
      runtimes: [
        {
          kind: "containerd",
          version: release.version,
          config: { version: release.configVersion, problems: [] },
          cri_disabled: false,
          nri: { enabled: isOn, available: true, decided_by: "config" },
          interface: "nri-hook",
          runc_runtimes: [{ name: "runc", base_spec: null }],
        },
      ],
    });
  }, 60_000);
});

test("containerd before NRI gets a base spec with the hook", async () => {
  const root = createNode("base-spec");
  writeProgram(root, "usr/bin/containerd", "containerd containerd.io 1.6.36 x");
  write(root, "etc/containerd/config.toml", "version = 2\n");
  const spec = JSON.stringify({ ociVersion: "1.1.0", process: { rlimits: [] } });
  writeProgram(root, "usr/bin/ctr", spec.replaceAll('"', '\\"'));
  const before = await diagnose(root);
  expect(before["wiring"]).toMatchObject({ status: "fail" });
  // Installing the hook is another test's.
  expect(
    await follow(before["wiring"], (command) => isRestart(command) || command.includes(" install ")),
  ).toBe(1);
  const after = await diagnose(root);
  expect(after["wiring"]?.message).toContain("/etc/containerd/tetragon-base-spec.json");
  expect(after["hook"]?.message).toContain(
    "calls /opt/tetragon/tetragon-oci-hook, which is not an executable file on this node",
  );
  expect(existsSync(join(root, "etc/containerd/tetragon-base-spec.json"))).toBe(true);
}, 60_000);

test("runtimes with other base specs get the hook in these, with one run of the commands", async () => {
  const root = createNode("base-specs");
  writeProgram(root, "usr/bin/containerd", "containerd containerd.io 1.6.36 x");
  writeProgram(root, "opt/tetragon/tetragon-oci-hook", "tetragon-oci-hook 0.1.0");
  const table = (name: string, spec: string): string =>
    `[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]\nruntime_type = "io.containerd.runc.v2"\n${spec}`;
  const text = [
    table("runc", 'base_runtime_spec = "/etc/base.json"\n'),
    table("gpu", 'base_runtime_spec = "/etc/gpu.json"\n'),
    table("plain", ""),
  ];
  write(root, "etc/containerd/config.toml", `version = 2\n${text.join("")}`);
  const hook = { path: "/opt/tetragon/tetragon-oci-hook", args: ["tetragon-oci-hook", "createRuntime"] };
  write(root, "etc/base.json", JSON.stringify({ ociVersion: "1.1.0", hooks: { createRuntime: [hook] } }));
  write(root, "etc/gpu.json", JSON.stringify({ ociVersion: "1.1.0" }));
  const before = await diagnose(root);
  expect(before["wiring"]?.message).toMatch(/bypass the hook: gpu \(.*\), plain \(.*\)$/);
  await follow(before["wiring"], isRestart);
  expect((await diagnose(root))["wiring"]).toMatchObject({ status: "ok" });
  expect(readFileSync(join(root, "etc/gpu.json"), "utf8")).toContain("/opt/tetragon/tetragon-oci-hook");
}, 60_000);

test("on this machine", async () => {
  const detected = await run("detect", "-o", "json");
  expect(detected.exitCode).toBe(0);
  expect(JSON.parse(detected.stdout)).toMatchObject({ schema: 1, root: "/" });
  const doctor = await run("doctor");
  expect([0, 3]).toContain(doctor.exitCode ?? -1);
  expect(doctor.stderr).toBe("");
}, 60_000);
