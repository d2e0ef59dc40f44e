// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { minimalEnv } from "./process.ts";
import type { Workspace } from "./workspace.ts";

export type HookStage = "createRuntime" | "prestart" | "createContainer" | "poststop";

interface HookEntry {
  readonly path: string;
  readonly args: readonly string[];
  /** Seconds after which the runtime kills the hook. */
  readonly timeout?: number;
  /** Beside PATH. */
  readonly env?: readonly string[];
}

export interface BundleOptions {
  readonly id: string;
  /** Shell text that runs as the container's PID 1; /out is shared with the test. */
  readonly script: string;
  /** Left out of the spec when empty, as `runc spec` does. */
  readonly cgroupsPath: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the container itself, beside PATH. */
  readonly env?: readonly string[];
  readonly hooks?: Readonly<Partial<Record<HookStage, readonly HookEntry[]>>>;
  /** Directories of the host, by their place in the container. */
  readonly binds?: Readonly<Record<string, string>>;
}

export interface Bundle extends BundleOptions {
  readonly dir: string;
  /** The host's side of the container's /out. */
  readonly outDir: string;
}

/** The first thing the container does: write its clock and its cgroups. Only shell built-ins before the write. */
export const firstActScript = [
  "echo $EPOCHREALTIME > /out/first",
  "while read -r line; do echo $line; done < /proc/self/cgroup > /out/cgroup",
].join("; ");

/** A root file system with nothing but busybox. */
export function createRootFs(dir: string): void {
  for (const sub of ["bin", "proc", "out", "dev", "sys", "etc", "tmp"]) {
    mkdirSync(join(dir, sub), { recursive: true });
  }
  copyFileSync("/bin/busybox", join(dir, "bin", "busybox"));
  for (const applet of ["sh", "cat", "sleep", "true"]) symlinkSync("busybox", join(dir, "bin", applet));
}

interface SpecOptions extends Omit<BundleOptions, "id"> {
  /** The container's PID 1, in place of a shell with the script. */
  readonly args?: readonly string[];
  readonly rootfs: string;
  /** The host's side of the container's /out. */
  readonly outDir: string;
}

/** The OCI spec of a small container. */
export function createContainerSpec(options: SpecOptions): object {
  // The environment is always explicit: a hook without one inherits the runtime's, BUN_OPTIONS included.
  const env = [`PATH=${minimalEnv["PATH"]}`];
  const hooks = Object.fromEntries(
    Object.entries(options.hooks ?? {}).map(([stage, entries]) => [
      stage,
      entries.map((entry) => ({ ...entry, env: [...env, ...(entry.env ?? [])] })),
    ]),
  );
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: options.args ?? ["/bin/sh", "-c", options.script],
      env: ["PATH=/bin", ...(options.env ?? [])],
      cwd: "/",
      noNewPrivileges: true,
    },
    root: { path: options.rootfs, readonly: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      // The runtime makes links here; containers that share a root file system would make the same ones.
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      ...Object.entries({ "/out": options.outDir, ...options.binds }).map(([destination, source]) => ({
        ...{ destination, source, type: "bind", options: ["bind", "rw"] },
      })),
    ],
    hooks,
    annotations: options.annotations ?? {},
    linux: {
      ...(options.cgroupsPath === "" ? {} : { cgroupsPath: options.cgroupsPath }),
      // No network namespace: nothing in these tests needs one, and making it is slow.
      namespaces: [{ type: "mount" }, { type: "pid" }],
    },
  };
}

export function createBundle(workspace: Workspace, options: BundleOptions): Bundle {
  const dir = workspace.path(options.id);
  const outDir = join(dir, "out");
  mkdirSync(outDir, { recursive: true });
  createRootFs(join(dir, "rootfs"));
  const spec = createContainerSpec({ ...options, rootfs: "rootfs", outDir });
  writeFileSync(join(dir, "config.json"), JSON.stringify(spec));
  return { ...options, dir, outDir };
}
