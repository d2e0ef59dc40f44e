// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { detectCommand, doctorCommand } from "./node-commands.ts";
import { createNodeRoot, type NodeRoot, runCommand } from "./node-root.fixture.ts";

let node: NodeRoot;
beforeEach(() => {
  node = createNodeRoot();
});
afterEach(() => node.close());

async function detect(): Promise<Record<string, unknown>> {
  const { code, stdout } = await runCommand(detectCommand, ["--root", node.root, "-o", "json"]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

const v3Nri = `version = 3\n[plugins."io.containerd.nri.v1.nri"]\ndisable = false\n`;

interface Row {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly runtime: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly socket: string;
}

const k3s = "/var/lib/rancher/k3s/agent/etc/containerd";
const rows: readonly Row[] = [
  {
    name: "containerd",
    files: { "/etc/containerd/config.toml": v3Nri },
    runtime: { kind: "containerd", distribution: "standard", interface: "nri-hook" },
    config: { path: "/etc/containerd/config.toml", edit_path: "/etc/containerd/config.toml", version: 3 },
    socket: "/run/containerd/containerd.sock",
  },
  {
    name: "kind",
    files: { "/etc/containerd/config.toml": v3Nri, "/kind/version": "v1.36" },
    runtime: { kind: "containerd", distribution: "kind", interface: "nri-hook" },
    config: { path: "/etc/containerd/config.toml", version: 3 },
    socket: "/run/containerd/containerd.sock",
  },
  {
    name: "minikube with CRI-O",
    files: { "/etc/crio/crio.conf.d/02-crio.conf": "[crio.image]", "/var/lib/minikube/x": "" },
    runtime: { kind: "cri-o", distribution: "minikube", interface: "oci-hooks" },
    config: { path: "/etc/crio/crio.conf", exists: false, files: ["/etc/crio/crio.conf.d/02-crio.conf"] },
    socket: "/var/run/crio/crio.sock",
  },
  {
    name: "k3s with containerd 1.7",
    files: { [`${k3s}/config.toml`]: "version = 2" },
    runtime: { kind: "containerd", distribution: "k3s", interface: "nri-hook" },
    config: { path: `${k3s}/config.toml`, edit_path: `${k3s}/config.toml.tmpl`, version: 2 },
    socket: "/run/k3s/containerd/containerd.sock",
  },
  {
    name: "k3s with containerd 2",
    files: { [`${k3s}/config.toml`]: v3Nri },
    runtime: { kind: "containerd", distribution: "k3s" },
    config: { edit_path: `${k3s}/config-v3.toml.tmpl` },
    socket: "/run/k3s/containerd/containerd.sock",
  },
  {
    name: "RKE2",
    files: { "/var/lib/rancher/rke2/agent/etc/containerd/config.toml": v3Nri },
    runtime: { kind: "containerd", distribution: "rke2" },
    config: { edit_path: "/var/lib/rancher/rke2/agent/etc/containerd/config-v3.toml.tmpl" },
    socket: "/run/k3s/containerd/containerd.sock",
  },
  {
    name: "k0s",
    files: { "/etc/k0s/containerd.toml": `imports = ["/run/k0s/cri.toml"]`, "/run/k0s/cri.toml": v3Nri },
    runtime: { kind: "containerd", distribution: "k0s" },
    config: { files: ["/etc/k0s/containerd.toml", "/run/k0s/cri.toml"], version: 3 },
    socket: "/run/k0s/containerd.sock",
  },
  {
    name: "microk8s",
    files: { "/var/snap/microk8s/current/args/containerd.toml": v3Nri },
    runtime: { kind: "containerd", distribution: "microk8s" },
    config: { edit_path: "/var/snap/microk8s/current/args/containerd-template.toml" },
    socket: "/var/snap/microk8s/common/run/containerd.sock",
  },
  {
    name: "CRI-O",
    files: {
      "/etc/crio/crio.conf": `[crio.runtime]\nhooks_dir = ["/etc/hooks"]\n[crio.nri]\nenable_nri = true`,
    },
    runtime: { kind: "cri-o", interface: "oci-hooks", hooks_dirs: ["/etc/hooks"] },
    config: { path: "/etc/crio/crio.conf", version: null },
    socket: "/var/run/crio/crio.sock",
  },
];

test.each(rows)("finds $name", async ({ files, runtime, config, socket }) => {
  for (const [path, text] of Object.entries(files)) node.write(path, text);
  const { runtimes } = await detect();
  expect(runtimes).toEqual([expect.objectContaining(runtime)]);
  expect(runtimes).toMatchObject([{ config, socket: { path: socket, state: "absent" } }]);
});

test("the JSON output has this shape", async () => {
  node.write("/etc/containerd/config.toml", v3Nri);
  node.write("/sys/fs/cgroup/cgroup.controllers", "");
  node.write("/proc/77/cmdline", "tetragon-nri-hook\0--mode\0direct\0");
  await node.listen("/run/containerd/containerd.sock");
  await node.listen("/run/nri/nri.sock");
  node.link("/var/run", "/run");
  expect(await detect()).toEqual({
    schema: 1,
    root: node.root,
    runtimes: [
      {
        kind: "containerd",
        distribution: "standard",
        version: null,
        socket: { path: "/run/containerd/containerd.sock", state: "open" },
        config: {
          path: "/etc/containerd/config.toml",
          exists: true,
          edit_path: "/etc/containerd/config.toml",
          version: 3,
          files: ["/etc/containerd/config.toml"],
          problems: [],
        },
        cri_disabled: false,
        nri: {
          enabled: true,
          connections: true,
          available: true,
          decided_by: "config",
          decided_in: ["/etc/containerd/config.toml"],
          rejects_hooks: false,
          socket: { path: "/var/run/nri/nri.sock", state: "open" },
        },
        interface: "nri-hook",
        hooks_dirs: [],
        read_only_hooks_dirs: [],
        overridden: [],
        runc_runtimes: [{ name: "runc", base_spec: null, file: null }],
        other_runtimes: [],
      },
    ],
    install_dir: { path: "/opt/tetragon", exists: false, read_only: false, noexec: false },
    unsafe_paths: [],
    hook: null,
    hook_configs: [],
    nri_plugins: [
      {
        pid: 77,
        command: "tetragon-nri-hook --mode direct",
        socket: "/var/run/nri/nri.sock",
        hook: null,
        mode: "direct",
        metrics_address: null,
        unsynchronized: null,
      },
    ],
    agent: { path: "/var/run/tetragon/tetragon.sock", state: "absent" },
    cgroups: "v2",
  });
});

test("the state of a socket without a listener, and of a regular file, is refused", async () => {
  node.write("/etc/containerd/config.toml", v3Nri);
  node.write("/run/containerd/containerd.sock", "");
  expect(await detect()).toMatchObject({ runtimes: [{ socket: { state: "refused" } }] });
});

describe("links and pipes among the node's files", () => {
  test.each([
    { name: "a link out of the root", target: "/etc/hostname" },
    { name: "a link upwards", target: "../../../../../../../../etc/hostname" },
    { name: "a loop", target: "config.toml" },
  ])("$name", async ({ target }) => {
    node.link("/etc/containerd/config.toml", target);
    node.write("/usr/bin/containerd", "");
    expect(await detect()).toMatchObject({ runtimes: [{ config: { files: [], problems: [] } }] });
  });

  test("a pipe does not block", async () => {
    node.write("/etc/containerd/x", "");
    expect(Bun.spawnSync(["mkfifo", `${node.root}/etc/containerd/config.toml`]).exitCode).toBe(0);
    const problems = ["/etc/containerd/config.toml: is not a regular file"];
    expect(await detect()).toMatchObject({ runtimes: [{ config: { problems } }] });
  });
});

test("finds hook files and base specs, and the programs that they call", async () => {
  node.write("/etc/crio/crio.conf", "");
  const args = ["x", "createRuntime", "--grpc-address", "unix:///run/agent.sock"];
  const dir = "/usr/share/containers/oci/hooks.d";
  const hook = { path: "/opt/tetragon/tetragon-oci-hook", args };
  node.write(`${dir}/ours.json`, JSON.stringify({ version: "1.0.0", hook }));
  node.write(`${dir}/other.json`, JSON.stringify({ version: "1.0.0", hook: { path: "/bin/other" } }));
  node.write(`${dir}/broken.json`, "{");
  const base = "/etc/containerd/base.json";
  node.write(
    "/etc/containerd/config.toml",
    `version = 2
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
base_runtime_spec = "${base}"`,
  );
  const loaded = {
    path: "/run/t/ld.so",
    args: ["ld", "--library-path", "/x", "/run/t/tetragon-oci-hook", "createRuntime"],
  };
  node.write(
    base,
    JSON.stringify({ ociVersion: "1", hooks: { createRuntime: [{ path: "/bin/other" }, loaded] } }),
  );
  node.write("/run/t/tetragon-oci-hook", "x", 0o755);
  node.write("/run/t/tetragon-oci-hook.json", `{"grpc_address":"localhost:54321"}`);
  expect(await detect()).toMatchObject({
    hook_configs: [
      {
        path: `${dir}/ours.json`,
        kind: "hooks-dir",
        calls: hook.path,
        missing: [hook.path],
        agent_address: "unix:///run/agent.sock",
      },
      {
        path: base,
        kind: "base-spec",
        calls: "/run/t/ld.so /run/t/tetragon-oci-hook",
        missing: ["/run/t/ld.so"],
        agent_address: "localhost:54321",
      },
    ],
    agent: { path: "/run/agent.sock", state: "absent" },
  });
});

test("a missing root directory is an error", async () => {
  const { code } = await runCommand(detectCommand, ["--root", `${node.root}/none`]);
  expect(code).toBe(1);
});

test.each([detectCommand, doctorCommand])("$name prints the same in YAML as in JSON", async (command) => {
  node.write("/etc/containerd/config.toml", v3Nri);
  const [json, yaml] = await Promise.all(
    ["json", "yaml"].map((format) => runCommand(command, ["--root", node.root, "-o", format])),
  );
  expect(json?.stdout).toContain("containerd");
  expect(Bun.YAML.parse(yaml?.stdout ?? "")).toEqual(JSON.parse(json?.stdout ?? ""));
  expect(yaml?.code).toBe(json?.code ?? -1);
});
