// SPDX-License-Identifier: Apache-2.0
// A node: a mount namespace in which the directories that pods and runtimes write are its own, a PID namespace, and a network
// namespace with an address that the host reaches. Its containerd is a real one.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Containerd, startContainerd } from "../../harness/containerd.ts";
import type { ContainerdRelease } from "../../harness/containerd-release.ts";
import { type Finished, runProcess, startProcess } from "../../harness/process.ts";
import { findTool } from "../../harness/programs.ts";
import { waitFor } from "../../harness/wait.ts";
import type { Workspace } from "../../harness/workspace.ts";
import { importProgramImage } from "./program-image.ts";

export interface Node {
  readonly name: string;
  readonly containerd: Containerd;
  /** Of the host, for the node. */
  readonly hostAddress: string;
  /** Of the node, for the host. */
  readonly address: string;
  /** A command that runs its arguments on the node. */
  readonly enter: readonly string[];
  run(...argv: readonly string[]): Promise<Finished>;
  /**
   * The host's path of a file that the node has written, for reading: below an overlay nothing may change by other ways.
   */
  toHostPath(path: string): string;
  /** Files, sockets and directories of the node that the host does not have, but those of containerd. */
  list(): readonly string[];
  /** Makes the node's own directory read-only. */
  makeReadOnly(path: string): Promise<void>;
}

/** What the node has for itself, with the files of the host below it. */
const layered = ["/etc", "/opt", "/usr/share", "/var/log"];
/** What it has for itself and begins empty. */
const own = ["/run", "/mnt"];

/** Networks of private use, two addresses each: those of the nodes of one test process differ, and so do those of others. */
let nextNetwork = (process.pid % 16_000) * 4;
const toAddress = (number: number): string =>
  `10.${77 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

async function must(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess(argv, { killAfterMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

let count = 0;

export async function startNode(workspace: Workspace, release: ContainerdRelease): Promise<Node> {
  const number = ++count;
  const name = `node-${number}`;
  const dir = workspace.path(name);
  const upperOf = (path: string): string => join(dir, path.slice(1).replaceAll("/", "-"));
  const steps = [
    ...own.map((path) => `mount --bind ${upperOf(path)} ${path}`),
    ...layered.map(
      (path) =>
        `mount -t overlay overlay -o lowerdir=${path},upperdir=${upperOf(path)},workdir=${upperOf(path)}.work ${path}`,
    ),
    // The agent finds the cgroups of the node by its first process.
    "mount -t proc proc /proc",
    "mount -t bpf bpf /sys/fs/bpf",
    // As systemd leaves it; it does not reach the host, whose mounts were made private.
    "mount --make-rshared /",
    "ip link set lo up",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "exec sleep 2147483647",
  ];
  for (const path of [...own, ...layered]) mkdirSync(upperOf(path), { recursive: true });
  for (const path of layered) mkdirSync(`${upperOf(path)}.work`);
  const unshare = [
    findTool("unshare"),
    "--mount",
    "--propagation",
    "private",
    "--net",
    "--pid",
    "--fork",
    "--kill-child",
  ];
  const holder = startProcess([...unshare, "/bin/sh", "-ec", steps.join("\n")], {}, workspace);
  const first = await waitFor("the node's namespaces", () => {
    if (holder.hasExited()) throw new Error(`the node ended: ${holder.stderr()}`);
    const pid = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8").trim();
    return pid !== "" && readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "sleep" && pid;
  });
  const enter = [findTool("nsenter"), "--target", first, "--mount", "--net", "--pid", "--"];

  const network = nextNetwork;
  nextNetwork += 4;
  const [hostAddress, address] = [toAddress(network + 1), toAddress(network + 2)];
  const link = `rth${process.pid.toString(36)}n${number}`;
  const ip = findTool("ip");
  await must(ip, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", first);
  workspace.onClose(() => runProcess([ip, "link", "delete", link]));
  await must(ip, "address", "add", `${hostAddress}/30`, "dev", link);
  await must(ip, "link", "set", link, "up");
  await must(...enter, ip, "address", "add", `${address}/30`, "dev", "eth0");
  await must(...enter, ip, "link", "set", "eth0", "up");
  await must(...enter, ip, "route", "add", "default", "via", hostAddress);
  // The pods of the node.
  const subnet = `10.${200 + (number % 40)}.${process.pid % 250}.0/24`;
  await must(ip, "route", "add", subnet, "via", address);

  const containerd = await startContainerd(workspace, release, {
    enter,
    nriSocketPath: "/run/nri/nri.sock",
    cniBinDir: "/usr/lib/cni",
    prepare: (configPath) => {
      const bridge = {
        ...{ type: "bridge", bridge: "cni0", isGateway: true },
        ipam: {
          type: "host-local",
          ranges: [[{ subnet }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: join(dir, "cni"),
        },
      };
      const list = { cniVersion: "1.0.0", name: "pods", plugins: [bridge] };
      return Bun.write(join(configPath, "..", "cni", "10-pods.conflist"), JSON.stringify(list));
    },
  });
  await importProgramImage(workspace, containerd);
  const toHostPath = (path: string): string => {
    const at = [...own, ...layered].find((top) => path === top || path.startsWith(`${top}/`));
    if (at === undefined) throw new Error(`${path} is the host's too`);
    return join(upperOf(at), path.slice(at.length));
  };
  return {
    name,
    containerd,
    hostAddress,
    address,
    enter,
    run: (...argv) => runProcess([...enter, ...argv], { killAfterMs: 60_000 }),
    toHostPath,
    list: () =>
      [...own, ...layered]
        .flatMap((top) => listBelow(upperOf(top)).map((path) => `${top}${path}`))
        .filter((path) => !/^\/run\/(containerd|nri|netns|runc)(\/|$)/.test(path))
        .toSorted(),
    makeReadOnly: async (path) => void (await must(...enter, "/bin/mount", "--options", "remount,ro", path)),
  };
}

function listBelow(directory: string, prefix = ""): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    return [`${prefix}/${name}`, ...(isDirectory ? listBelow(path, `${prefix}/${name}`) : [])];
  });
}
