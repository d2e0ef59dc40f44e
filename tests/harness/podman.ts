// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { createRootFs } from "./bundle.ts";
import { removeCgroup } from "./cgroup.ts";
import { type Finished, minimalEnv, type RunningProcess, runProcess, startProcess } from "./process.ts";
import { findTool } from "./programs.ts";
import type { Workspace } from "./workspace.ts";

interface PodmanRun {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly script: string;
  readonly outDir: string;
  /** Of `podman run`, beside those of every run. */
  readonly flags?: readonly string[];
}

export interface Podman {
  readonly cgroupParent: string;
  /** For whoever writes its files by other means than setHook. */
  readonly hooksDir: string;
  /** Makes the hooks directory say: run the hook with these arguments at this stage. */
  setHook(path: string, args: readonly string[], stage?: string): void;
  start(run: PodmanRun): RunningProcess;
  /** Names of all containers it knows, also those that ended. */
  names(): Promise<readonly string[]>;
}

interface PodmanOptions {
  /** A command that runs its arguments elsewhere, as in other namespaces. */
  readonly enter?: readonly string[];
  /** By default one of its own. */
  readonly hooksDir?: string;
}

/** A podman whose storage and state are all its own. */
export async function createPodman(workspace: Workspace, options: PodmanOptions = {}): Promise<Podman> {
  const { enter = [], hooksDir = workspace.path("hooks.d") } = options;
  const tmpDir = workspace.path("podman-tmp");
  mkdirSync(tmpDir);
  if (options.hooksDir === undefined) mkdirSync(hooksDir);
  findTool("runc");
  const podman = [
    ...[...enter, findTool("podman")],
    ...["--root", workspace.path("podman-root"), "--runroot", workspace.path("podman-run")],
    ...["--tmpdir", tmpDir, "--storage-driver", "vfs", "--events-backend", "none"],
    ...["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--hooks-dir", hooksDir],
  ];
  // XDG and HOME too, or podman reads the configuration of whoever runs the tests.
  const env = { ...minimalEnv, HOME: tmpDir, XDG_RUNTIME_DIR: tmpDir, TMPDIR: tmpDir };
  const image = `localhost/${workspace.tag}:test`;
  const cgroupParent = `/rthooks-test-${workspace.tag}`;
  const must = async (argv: readonly string[]): Promise<Finished> => {
    const result = await runProcess(argv, { env, killAfterMs: 60_000 });
    if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
    return result;
  };
  createRootFs(workspace.path("image"));
  const archive = workspace.path("image.tar");
  await must(["/bin/tar", "-cf", archive, "-C", workspace.path("image"), "."]);
  workspace.onClose(async () => {
    await runProcess([...podman, "rm", "--all", "--force", "--time", "0"], { env });
    removeCgroup(cgroupParent);
  });
  await must([...podman, "import", "--quiet", archive, image]);
  return {
    cgroupParent,
    hooksDir,
    setHook: (path, args, stage = "createRuntime") =>
      writeFileSync(
        `${hooksDir}/tetragon-oci-hook.json`,
        JSON.stringify({
          version: "1.0.0",
          // Podman gives a hook without env its own environment.
          hook: { path, args: [path, ...args], env: [`PATH=${minimalEnv["PATH"]}`] },
          when: { always: true },
          stages: [stage],
        }),
      ),
    start: ({ name, annotations, script, outDir, flags = [] }) =>
      startProcess(
        [
          ...[...podman, "run", "--rm", "--name", name, "--network", "host"],
          // Without these podman raises the limits, which needs CAP_SYS_RESOURCE.
          ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"],
          ...["--cgroup-parent", cgroupParent, "--volume", `${outDir}:/out`, ...flags],
          ...Object.entries(annotations ?? {}).flatMap(([key, value]) => ["--annotation", `${key}=${value}`]),
          ...[image, "/bin/sh", "-c", script],
        ],
        { env, killAfterMs: 60_000 },
        workspace,
      ),
    names: async () => {
      const { stdout } = await must([...podman, "ps", "--all", "--format", "{{.Names}}"]);
      return stdout.split("\n").filter(Boolean);
    },
  };
}
