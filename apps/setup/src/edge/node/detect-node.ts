// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_AGENT_ADDRESS, parseAddress } from "@rthooks/net";
import type { NodeFiles } from "@rthooks/runtime-config";
import { findInRoot } from "@rthooks/runtime-config/files";
import { readContainerdConfig } from "../../core/containerd-config.ts";
import { readCrioConfig, readPodmanConfig } from "../../core/crio-config.ts";
import { findInBaseSpec, findInHooksDir, findOverridden, HOOK } from "../../core/find-hook-configs.ts";
import type {
  HookConfigFacts,
  InstallDirFacts,
  NodeFacts,
  ProgramFacts,
  RuntimeFacts,
  SocketFacts,
} from "../../core/node-facts.ts";
import { toNriFacts } from "../../core/nri-facts.ts";
import { findEditPath, findRuntimePlaces, type RuntimePlace } from "../../core/runtime-places.ts";
import { findLibcs, toLibcPrefix } from "../install/bundled-libc.ts";
import { findMountOptions } from "../install/install-error.ts";
import { runInRoot } from "../install/run-in-root.ts";
import { findUnsafeStep } from "../install/safe-path.ts";
import { askNriPlugins } from "./find-nri-plugins.ts";
import { findSocketFacts } from "./socket-facts.ts";

interface Node {
  readonly root: string;
  readonly files: NodeFiles;
}

/** Changes nothing on the node. It runs the runtimes and the hook for their versions, as the node would. */
export async function detectNode(node: Node, installDir: string): Promise<NodeFacts> {
  const { root, files } = node;
  const runtimes: RuntimeFacts[] = [];
  for (const place of findRuntimePlaces(files)) runtimes.push(await detectRuntime(node, place));
  const hookConfigs = findHookConfigs(files, runtimes);
  return {
    schema: 1,
    root,
    runtimes,
    install_dir: detectInstallDir(root, installDir),
    unsafe_paths: findUnsafePaths(root, [
      installDir,
      ...runtimes.flatMap((runtime) => runtime.hooks_dirs),
      ...hookConfigs.map(({ path }) => dirname(path)),
    ]),
    hook: await detectHook(node, `${installDir}/${HOOK}`),
    hook_configs: hookConfigs,
    nri_plugins: await askNriPlugins(root),
    agent: await detectAgent(root, hookConfigs[0]?.agent_address ?? DEFAULT_AGENT_ADDRESS),
    cgroups: detectCgroups(files),
  };
}

async function detectRuntime(node: Node, place: RuntimePlace): Promise<RuntimeFacts> {
  const { files, root } = node;
  const { kind, distribution } = place;
  const program = place.programs.find(files.isExecutable);
  const version = program === undefined ? null : await askVersion(root, program);
  const base = {
    kind,
    distribution,
    version,
    cri_disabled: false,
    ...toHooksDirs(node, []),
    runc_runtimes: [],
    other_runtimes: [],
  };
  const exists = files.kind(place.config) !== undefined;
  switch (kind) {
    case "containerd": {
      const config = readContainerdConfig(files, place.config, version);
      const { nri } = config;
      const facts = toNriFacts({
        kind,
        version,
        configVersion: config.version,
        enabled: nri.disable === undefined ? undefined : !nri.disable,
        isPluginDisabled: nri.isPluginDisabled,
        connections: !nri.disableConnections,
        decidedIn: nri.decidedIn,
        rejectsHooks: nri.rejectsHooks,
        socket: await findSocketFacts(root, nri.socketPath),
      });
      return {
        ...base,
        socket: await findSocketFacts(root, config.address ?? place.socket ?? ""),
        config: {
          path: place.config,
          exists,
          edit_path: findEditPath(files, place),
          version: config.version ?? null,
          files: config.files,
          problems: config.problems,
        },
        cri_disabled: config.isCriDisabled,
        nri: facts,
        interface: facts.available === false ? "base-spec" : "nri-hook",
        runc_runtimes: config.runcRuntimes.map(({ name, baseSpec, file }) => ({
          name,
          base_spec: baseSpec ?? null,
          file: file ?? null,
        })),
        other_runtimes: config.otherRuntimes,
      };
    }
    case "cri-o": {
      const config = readCrioConfig(files, place.config);
      return {
        ...base,
        socket: await findSocketFacts(root, config.listen),
        config: toConfigFacts(place, exists, config),
        nri: toNriFacts({
          kind,
          version,
          configVersion: undefined,
          enabled: config.enableNri,
          isPluginDisabled: false,
          connections: !config.nriDisableConnections,
          decidedIn: config.enableNriIn === undefined ? [] : [config.enableNriIn],
          rejectsHooks: false,
          socket: await findSocketFacts(root, config.nriListen),
        }),
        interface: "oci-hooks",
        ...toHooksDirs(node, config.hooksDirs),
      };
    }
    case "podman": {
      const config = readPodmanConfig(files);
      return {
        ...base,
        socket: null,
        config: toConfigFacts(place, exists, config),
        nri: null,
        interface: "oci-hooks",
        ...toHooksDirs(node, config.hooksDirs),
      };
    }
  }
}

function toHooksDirs(
  { root, files }: Node,
  directories: readonly string[],
): Pick<RuntimeFacts, "hooks_dirs" | "read_only_hooks_dirs" | "overridden"> {
  return {
    hooks_dirs: directories,
    read_only_hooks_dirs: directories.filter((path) => findOptions(root, path).includes("ro")),
    overridden: findOverridden(files, directories),
  };
}

function toConfigFacts(
  { config }: RuntimePlace,
  exists: boolean,
  { files, problems }: { readonly files: readonly string[]; readonly problems: readonly string[] },
): RuntimeFacts["config"] {
  return { path: config, exists, edit_path: config, version: null, files, problems };
}

/** "containerd containerd.io 1.7.24 …", "crio version 1.30.4", "podman version 4.3.1" */
async function askVersion(root: string, ...command: readonly string[]): Promise<string | null> {
  const ran = await runInRoot(root, [...command, "--version"]);
  if (!ran.ok || ran.value.exitCode !== 0) return null;
  return /(?:^|\s)v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)/.exec(ran.value.stdout)?.[1] ?? null;
}

function findHookConfigs(files: NodeFiles, runtimes: readonly RuntimeFacts[]): readonly HookConfigFacts[] {
  const directories = new Set(runtimes.flatMap((runtime) => runtime.hooks_dirs));
  const specs = runtimes.flatMap((runtime) => runtime.runc_runtimes.map((runc) => runc.base_spec));
  return [
    ...[...directories].flatMap((directory) => findInHooksDir(files, directory)),
    ...[...new Set(specs)].flatMap((path) => (path === null ? [] : findInBaseSpec(files, path))),
  ];
}

function detectInstallDir(root: string, path: string): InstallDirFacts {
  const found = findInRoot(root, path);
  const exists = found !== undefined && existsSync(found);
  const options = findOptions(root, path);
  return { path, exists, read_only: options.includes("ro"), noexec: options.includes("noexec") };
}

/** Of the file system that the path is on, or would be. */
function findOptions(root: string, path: string): readonly string[] {
  let above = findInRoot(root, path) ?? join(root, path);
  while (!existsSync(above)) above = dirname(above);
  return findMountOptions(above);
}

function findUnsafePaths(root: string, paths: readonly string[]): NodeFacts["unsafe_paths"] {
  return [...new Set(paths)].flatMap((path) => {
    const found = findUnsafeStep(root, path);
    return found === undefined ? [] : [{ path, ...found }];
  });
}

async function detectHook({ root, files }: Node, path: string): Promise<ProgramFacts | null> {
  if (files.kind(path) !== "file") return null;
  let version = await askVersion(root, path);
  // With the C library that was installed beside it, if there is one.
  for (const digest of findLibcs(files.list(dirname(path)))) {
    version ??= await askVersion(root, ...toLibcPrefix(digest, dirname(path)), path);
  }
  return { path, version, runs: version !== null };
}

function detectAgent(root: string, address: string): Promise<SocketFacts> {
  const parsed = parseAddress(address);
  return parsed.ok && parsed.value.kind === "unix"
    ? findSocketFacts(root, parsed.value.path)
    : Promise.resolve({ path: address, state: "unknown" });
}

/** The v2 hierarchy has cgroup.controllers in its root (kernel, cgroup-v2); systemd's hybrid layout has it in unified. */
function detectCgroups(files: NodeFiles): NodeFacts["cgroups"] {
  const base = "/sys/fs/cgroup";
  if (files.kind(`${base}/cgroup.controllers`) !== undefined) return "v2";
  if (files.kind(`${base}/unified/cgroup.controllers`) !== undefined) return "hybrid";
  return files.kind(`${base}/memory`) === undefined ? null : "v1";
}
