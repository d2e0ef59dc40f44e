// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, rmSync } from "node:fs";
import {
  diagnose,
  enable,
  findWork,
  installNri,
  k3s,
  nri,
  pluginArgs,
  standard,
} from "./ask-doctor.fixture.ts";
import { doctorCommand } from "./node-commands.ts";
import { createNodeRoot, type NodeRoot, runCommand } from "./node-root.fixture.ts";

let node: NodeRoot;
beforeEach(() => {
  node = createNodeRoot();
  node.write("/sys/fs/cgroup/cgroup.controllers", "");
  node.link("/var/run", "/run");
});
afterEach(() => node.close());

interface Row {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly work: readonly string[];
}

const offRows: readonly Row[] = [
  {
    name: "containerd",
    files: { [standard]: nri("disable = true", 2) },
    work: [enable(`/host${standard}`), "chroot /host systemctl restart containerd", installNri],
  },
  {
    name: "containerd, by disabled_plugins",
    files: { [standard]: `disabled_plugins = ["io.containerd.nri.v1.nri"]\nversion = 3` },
    work: [enable(`/host${standard}`), "chroot /host systemctl restart containerd", installNri],
  },
  {
    name: "containerd, with disable_connections",
    files: { [standard]: nri("disable_connections = true") },
    work: [enable(`/host${standard}`), "chroot /host systemctl restart containerd", installNri],
  },
  {
    name: "k3s, which generates its file",
    files: {
      [`${k3s}/config.toml`]: nri("disable = true", 2),
      "/etc/systemd/system/k3s-agent.service": "",
    },
    work: [enable(`/host${k3s}/config.toml.tmpl`), "chroot /host systemctl restart k3s-agent", installNri],
  },
  {
    name: "k3s, whose generated file imports others",
    files: {
      [`${k3s}/config.toml`]: `version = 3\nimports = ["${k3s}/config-v3.toml.d/*.toml"]\n[plugins."io.containerd.nri.v1.nri"]\ndisable = true`,
    },
    work: [
      enable(`/host${k3s}/config-v3.toml.d/tetragon.toml`),
      "chroot /host systemctl restart k3s",
      installNri,
    ],
  },
  {
    name: "k3s with a template",
    files: {
      [`${k3s}/config.toml`]: nri("disable = true"),
      [`${k3s}/config-v3.toml.tmpl`]: nri("disable = true"),
    },
    work: [enable(`/host${k3s}/config-v3.toml.tmpl`), "chroot /host systemctl restart k3s", installNri],
  },
  {
    name: "RKE2",
    files: {
      "/var/lib/rancher/rke2/agent/etc/containerd/config.toml": nri("disable = true"),
      "/var/lib/rancher/rke2/server/x": "",
    },
    work: [
      enable("/host/var/lib/rancher/rke2/agent/etc/containerd/config-v3.toml.tmpl"),
      "chroot /host systemctl restart rke2-server",
      installNri,
    ],
  },
  {
    name: "k0s, which generates its file while a certain line is in it",
    files: { "/etc/k0s/containerd.toml": nri("disable = true") },
    work: [
      "sed -i '/^# k0s_managed=true/d' /host/etc/k0s/containerd.toml",
      enable("/host/etc/k0s/containerd.toml"),
      "chroot /host systemctl restart k0scontroller",
      installNri,
    ],
  },
  {
    name: "microk8s",
    files: {
      "/var/snap/microk8s/current/args/containerd.toml": nri("disable = true"),
      "/var/snap/microk8s/current/args/containerd-template.toml": nri("disable = true"),
    },
    work: [
      enable("/host/var/snap/microk8s/current/args/containerd-template.toml"),
      "chroot /host snap restart microk8s.daemon-containerd",
      installNri,
    ],
  },
];

test.each(offRows)("NRI is off: $name", async ({ files, work }) => {
  for (const [path, text] of Object.entries(files)) node.write(path, text);
  await node.listen("/run/nri/nri.sock");
  expect(await findWork(node)).toEqual({ nri: work });
});

test("NRI is on in the file, but the runtime has not read it yet", async () => {
  node.write(standard, nri("disable = false"));
  await node.listen("/run/containerd/containerd.sock");
  expect(await findWork(node)).toMatchObject({ nri: ["chroot /host systemctl restart containerd"] });
});

test("containerd without a file: the patch creates one from the defaults", async () => {
  node.write("/usr/bin/containerd", "#!/none", 0o755);
  const { findings } = await diagnose(node);
  expect(findings.find(({ check }) => check === "nri")).toMatchObject({
    status: "warn",
    fix: [
      `tetragon-oci-hook-setup patch-containerd-conf enable-nri --config-file ${node.root}${standard} --in-place --create --host-root ${node.root}`,
      `chroot ${node.root} systemctl restart containerd`,
    ],
  });
});

const installCrio =
  "tetragon-oci-hook-setup install --host-install-dir /opt/tetragon --local-install-dir /host/opt/tetragon --host-root /host --oci-hooks.local-dir /host/etc/hooks";

test("CRI-O whose hooks directory has no file that calls the hook", async () => {
  node.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["/etc/hooks"]`);
  expect(await findWork(node)).toEqual({ wiring: [installCrio] });
});

test("a hook file that calls a missing program", async () => {
  node.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["/etc/hooks"]`);
  const hook = { path: "/opt/tetragon/tetragon-oci-hook", args: ["tetragon-oci-hook", "createRuntime"] };
  node.write("/etc/hooks/tetragon-oci-hook.json", JSON.stringify({ version: "1.0.0", hook }));
  expect(await findWork(node)).toEqual({ hook: [installCrio] });
});

test("a runc runtime without the base spec of the others", async () => {
  const runtimes = `plugins."io.containerd.grpc.v1.cri".containerd.runtimes`;
  node.write(
    standard,
    `version = 2
[${runtimes}.runc]
base_runtime_spec = "/etc/base.json"
[${runtimes}.other]
runtime_type = "io.containerd.runc.v2"`,
  );
  node.write("/opt/tetragon/tetragon-oci-hook", "", 0o755);
  const hook = { path: "/opt/tetragon/tetragon-oci-hook", args: ["tetragon-oci-hook", "createRuntime"] };
  node.write("/etc/base.json", JSON.stringify({ ociVersion: "1.2.0", hooks: { createRuntime: [hook] } }));
  const work = await findWork(node);
  expect(work["wiring"]).toEqual([
    "tetragon-oci-hook-setup patch-containerd-conf add-oci-hook --config-file /host/etc/containerd/config.toml --in-place --host-root /host --oci-hook-path /opt/tetragon/tetragon-oci-hook --base-spec /etc/base.json",
    "chroot /host systemctl restart containerd",
  ]);
  // It is an empty file.
  expect(work["hook"]).toEqual([expect.stringMatching(/install .* --libc bundled$/)]);
});

test("no check fails: exit code 0", async () => {
  node.write(standard, nri("disable = false"));
  node.write("/proc/77/cmdline", `${pluginArgs.join("\0")}\0`);
  for (const path of ["nri/nri", "containerd/containerd", "tetragon/tetragon"]) {
    await node.listen(`/run/${path}.sock`);
  }
  const { code, findings } = await diagnose(node);
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
    ...["runtime ok", "nri ok", "wiring ok", "install-dir ok", "agent ok", "cgroups ok"],
  ]);
  expect(code).toBe(0);
});

test("a hook that is configured twice is reported", async () => {
  node.write(
    "/etc/crio/crio.conf",
    `[crio.runtime]\nhooks_dir = ["/etc/hooks"]\n[crio.nri]\nenable_nri = true`,
  );
  const hook = { path: "/opt/tetragon/tetragon-oci-hook", args: ["tetragon-oci-hook", "createRuntime"] };
  node.write("/etc/hooks/tetragon-oci-hook.json", JSON.stringify({ version: "1.0.0", hook }));
  node.write("/proc/77/cmdline", "tetragon-nri-hook\0");
  const { findings } = await diagnose(node);
  expect(findings).toContainEqual(
    expect.objectContaining({ check: "wiring", status: "warn", message: expect.stringContaining("twice") }),
  );
});

test("no runtime", async () => {
  expect(await findWork(node)).toEqual({ runtime: [] });
});

test("a missing agent socket is reported", async () => {
  const { findings } = await diagnose(node);
  expect(findings.find(({ check }) => check === "agent")?.message).toStartWith(
    "the agent's socket /var/run/tetragon/tetragon.sock does not exist: start the agent",
  );
});

test("configured names are quoted for the shell, without control characters", async () => {
  node.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["/etc/$(reboot)'\\u001b[2J"]`);
  const { stdout } = await runCommand(doctorCommand, ["--root", node.root]);
  expect(stdout).toContain(`--oci-hooks.local-dir '${node.root}/etc/$(reboot)'\\''\\u{1b}[2J'`);
  expect(stdout).not.toContain("\u001b");
});

test("directories that others can write, until the advised commands were run", async () => {
  node.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["/etc/hooks"]`);
  node.write("/opt/tetragon/tetragon-oci-hook", "", 0o755);
  node.write("/etc/hooks/x", "");
  chmodSync(`${node.root}/opt`, 0o777);
  chownSync(`${node.root}/etc/hooks`, 1000, 1000);
  const find = async () =>
    (await diagnose(node)).findings.filter(({ message }) => message.includes("other users can replace"));
  const unsafe = await find();
  expect(unsafe.map(({ message }) => message)).toEqual([
    "/opt/tetragon: /opt is writable by others (mode 0777): other users can replace a program that root runs for every container",
    "/etc/hooks belongs to user 1000: other users can replace a program that root runs for every container",
  ]);
  for (const command of unsafe.flatMap(({ fix }) => fix)) {
    expect(Bun.spawnSync(["sh", "-c", command]).exitCode).toBe(0);
  }
  expect(await find()).toEqual([]);
});

describe("hooks directories: a later one overrides an earlier one, by the file's name", () => {
  const [first, second] = ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"];
  const ours = "/opt/tetragon/tetragon-oci-hook";
  const hookFile = (path: string): string =>
    JSON.stringify({
      version: "1.0.0",
      hook: { path, args: ["x", "createRuntime"] },
      when: { always: true },
    });

  test("an overridden hook file is not called until the overriding file is removed", async () => {
    node.write("/usr/bin/podman", "", 0o755);
    node.write(ours, "", 0o755);
    node.write(`${first}/tetragon-oci-hook.json`, hookFile(ours));
    node.write(`${second}/tetragon-oci-hook.json`, hookFile("/bin/true"));
    const work = await findWork(node);
    expect(work["wiring"]).toEqual([`rm /host${second}/tetragon-oci-hook.json`]);
    rmSync(`${node.root}${second}/tetragon-oci-hook.json`);
    const { findings } = await diagnose(node);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "wiring", status: "ok", message: expect.stringContaining(first) }),
    );
  });

  test("the same hook file in both directories is called once", async () => {
    node.write("/usr/bin/podman", "", 0o755);
    node.write(ours, "", 0o755);
    for (const dir of [first, second]) node.write(`${dir}/tetragon-oci-hook.json`, hookFile(ours));
    const { findings } = await diagnose(node);
    const wiring = findings.filter(({ check }) => check === "wiring");
    expect(wiring.map(({ status, message }) => [status, message])).toEqual([
      ["ok", `podman calls the hook: ${second}/tetragon-oci-hook.json`],
    ]);
  });
});

test("NRI's table under a name that containerd 1.x does not read in a file of version 1 is reported", async () => {
  node.write(standard, `[plugins."io.containerd.nri.v1.nri"]\ndisable = false`);
  const { findings } = await diagnose(node);
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: "config",
      status: "warn",
      message: expect.stringContaining(`does not read [plugins."io.containerd.nri.v1.nri"]`),
    }),
  );
});
