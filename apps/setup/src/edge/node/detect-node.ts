// SPDX-License-Identifier: Apache-2.0

import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { DEFAULT_AGENT_ADDRESS, parseAddress } from "@rthooks/net";
import type { NodeFiles } from "@rthooks/runtime-config";
import { findInRoot } from "@rthooks/runtime-config/files";
import { HOOK } from "../../core/default-paths.ts";
import { findInBaseSpec, findInHooksDir } from "../../core/find-hook-configs.ts";
import type {
  HookConfigFacts,
  InstallDirFacts,
  NodeFacts,
  ProgramFacts,
  RuntimeFacts,
  SocketFacts,
} from "../../core/node-facts.ts";
import { findRuntimePlaces } from "../../core/runtime-places.ts";
import { findLibcs, toLibcPrefix } from "../install/bundled-libc.ts";
import { findUnsafeStep } from "../install/safe-path.ts";
import { findMountOptionsInRoot } from "../mount-options.ts";
import { detectRuntime, type Node } from "./detect-runtime.ts";
import { detectNriPlugins } from "./find-nri-plugins.ts";
import { findVersion } from "./find-version.ts";
import { findSocketFacts } from "./socket-facts.ts";

/** Examines a node without changing it; runs the runtimes and the hook with `--version` in the node's root. */
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
    nri_plugins: await detectNriPlugins(root),
    agent: await detectAgent(root, hookConfigs[0]?.agent_address ?? DEFAULT_AGENT_ADDRESS),
    cgroups: detectCgroups(files),
  };
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
  const options = findMountOptionsInRoot(root, path);
  return { path, exists, read_only: options.includes("ro"), noexec: options.includes("noexec") };
}

function findUnsafePaths(root: string, paths: readonly string[]): NodeFacts["unsafe_paths"] {
  return [...new Set(paths)].flatMap((path) => {
    const found = findUnsafeStep(root, path);
    return found === undefined ? [] : [{ path, ...found }];
  });
}

async function detectHook({ root, files }: Node, path: string): Promise<ProgramFacts | null> {
  if (files.kind(path) !== "file") return null;
  let version = await findVersion(root, path);
  // With the C library that is installed beside it, if there is one.
  for (const digest of findLibcs(files.list(dirname(path)))) {
    version ??= await findVersion(root, ...toLibcPrefix(digest, dirname(path)), path);
  }
  return { path, version, runs: version !== null };
}

function detectAgent(root: string, address: string): Promise<SocketFacts> {
  const parsed = parseAddress(address);
  return parsed.ok && parsed.value.kind === "unix"
    ? findSocketFacts(root, parsed.value.path)
    : Promise.resolve({ path: address, state: "unknown" });
}

/**
 * cgroup.controllers is in the root of the v2 hierarchy (kernel, cgroup-v2); in systemd's hybrid layout, in unified.
 */
function detectCgroups(files: NodeFiles): NodeFacts["cgroups"] {
  const base = "/sys/fs/cgroup";
  if (files.kind(`${base}/cgroup.controllers`) !== undefined) return "v2";
  if (files.kind(`${base}/unified/cgroup.controllers`) !== undefined) return "hybrid";
  return files.kind(`${base}/memory`) === undefined ? null : "v1";
}
