// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeCgroup } from "./cgroup.ts";
import { type ContainerdConfig, hooklessRuntime, renderContainerdConfig } from "./containerd-config.ts";
import { busyboxImage, createImageArchive, pauseImage } from "./containerd-image.ts";
import type { ContainerdRelease } from "./containerd-release.ts";
import { type CriClient, openCriClient } from "./cri-client.ts";
import { minimalEnv, type RunningProcess, runProcess, startProcess } from "./process.ts";
import { findTool } from "./programs.ts";
import { waitFor } from "./wait.ts";
import type { Workspace } from "./workspace.ts";

export interface ContainerdOptions extends Omit<ContainerdConfig, "dir"> {
  /** Changes the configuration file, or adds others, before containerd reads it. */
  readonly prepare?: (configPath: string) => unknown;
  /** A command that runs its arguments elsewhere, as in other namespaces. */
  readonly enter?: readonly string[];
}

/** A containerd with folders and sockets of its own; its containers go when the workspace closes. */
export interface Containerd {
  readonly release: ContainerdRelease;
  readonly dir: string;
  readonly configPath: string;
  readonly nriSocketPath: string;
  /** Last element of the path of every cgroup's parent here: containerd keeps no more of it. */
  readonly cgroupParent: string;
  readonly cri: CriClient;
  /** What it wrote to its log in all its lives. */
  log(): string;
  /** Ends it as systemd does; containers go on. */
  stop(): Promise<void>;
  /** Starts it again after `stop`. */
  start(): Promise<void>;
  /** Runs `ctr` on it. */
  ctr(...args: readonly string[]): Promise<string>;
}

async function must(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { exitCode, stdout, stderr } = await runProcess(argv, { env, killAfterMs: 60_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}

async function removePods(cri: CriClient): Promise<void> {
  const remove = async (id: string) => {
    await cri.stopPodSandbox(id);
    await cri.removePodSandbox(id);
  };
  await Promise.allSettled((await cri.listPodSandboxes()).map(remove));
}

/** Shims outlive containerd; only those that were started for this socket are ours. */
function killShims(dir: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (words[0]?.endsWith("containerd-shim-runc-v2") && words.includes(`${dir}/ctd.sock`)) {
        process.kill(Number(pid), "SIGKILL");
      }
    } catch {
      // It ended meanwhile.
    }
  }
}

async function unmountBelow(dir: string): Promise<void> {
  const targets = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((target) => target.startsWith(`${dir}/`));
  for (let at = 0; at < targets.length; at += 100) {
    // The youngest first: one may lie on another.
    await runProcess(["/bin/umount", "--lazy", ...targets.toReversed().slice(at, at + 100)]);
  }
}

async function deleteContainers(dir: string): Promise<void> {
  const runcRoot = join(dir, "runc", "k8s.io");
  if (!existsSync(runcRoot)) return;
  for (const id of readdirSync(runcRoot))
    await runProcess([findTool("runc"), "--root", runcRoot, "delete", "--force", id]);
}

let count = 0;

/** Ready for pods when this returns; both images are there. */
export async function startContainerd(
  workspace: Workspace,
  release: ContainerdRelease,
  options: ContainerdOptions = {},
): Promise<Containerd> {
  const { enter = [] } = options;
  const name = `c${++count}`;
  const dir = workspace.path(name);
  const configPath = join(dir, "config.toml");
  const socketPath = join(dir, "ctd.sock");
  const cgroupParent = `rthooks-test-${workspace.tag}-${name}`;
  const env = { ...minimalEnv, PATH: `${release.binDir}:${minimalEnv["PATH"]}`, TMPDIR: dir, HOME: dir };
  const runc = findTool("runc");
  for (const sub of ["tmp", "cni", "nri-plugins", "nri-conf"]) mkdirSync(join(dir, sub), { recursive: true });
  writeFileSync(join(dir, "hookless-runc"), hooklessRuntime(runc), { mode: 0o755 });
  writeFileSync(configPath, renderContainerdConfig(release, { dir, ...options }));
  await options.prepare?.(configPath);

  const cri = openCriClient(socketPath);
  const logs: RunningProcess[] = [];
  workspace.onClose(async () => {
    // The polite way leaves nothing in /run/containerd; what follows is for what it could not remove.
    await removePods(cri).catch(() => undefined);
    cri.close();
    await stop();
    killShims(dir);
    await deleteContainers(dir);
    await unmountBelow(dir);
    removeCgroup(`/${cgroupParent}`);
  });
  const start = async () => {
    const argv = [...enter, join(release.binDir, "containerd"), "--config", configPath];
    const containerd = startProcess(argv, { env });
    logs.push(containerd);
    await waitFor(
      `containerd ${release.version} answers`,
      async () => {
        if (containerd.hasExited()) throw new Error(`containerd ended: ${containerd.stderr().slice(-4_000)}`);
        return await cri.version().catch(() => undefined);
      },
      30_000,
    );
  };
  const stop = async () => {
    const containerd = logs.at(-1);
    if (containerd === undefined || containerd.hasExited()) return;
    containerd.signal("SIGTERM");
    const hasEnded = await Promise.race([containerd.exited.then(() => true), Bun.sleep(10_000)]);
    if (hasEnded !== true) containerd.signal("SIGKILL");
    await containerd.exited;
  };
  const ctr = (...args: readonly string[]) =>
    must(
      [...enter, join(release.binDir, "ctr"), "--address", socketPath, "--namespace", "k8s.io", ...args],
      env,
    );

  await start();
  const archive = workspace.path("images.tar");
  await ctr("images", "import", existsSync(archive) ? archive : await createImageArchive(workspace));
  for (const image of [pauseImage, busyboxImage])
    await waitFor(`the CRI sees ${image}`, () => cri.hasImage(image));
  return {
    release,
    dir,
    configPath,
    nriSocketPath: options.nriSocketPath ?? join(dir, "nri.sock"),
    cgroupParent,
    cri,
    log: () => logs.map((containerd) => containerd.stderr()).join(""),
    stop,
    start,
    ctr,
  };
}
