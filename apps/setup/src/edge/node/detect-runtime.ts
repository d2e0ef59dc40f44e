// SPDX-License-Identifier: Apache-2.0

import type { NodeFiles } from "@rthooks/runtime-config";
import { readContainerdConfig } from "../../core/containerd-config.ts";
import { readCrioConfig, readPodmanConfig } from "../../core/crio-config.ts";
import { findOverridden } from "../../core/find-hook-configs.ts";
import type { RuntimeFacts } from "../../core/node-facts.ts";
import { toNriFacts } from "../../core/nri-facts.ts";
import { findEditPath, type RuntimePlace } from "../../core/runtime-places.ts";
import { findMountOptionsInRoot } from "../mount-options.ts";
import { findVersion } from "./find-version.ts";
import { findSocketFacts } from "./socket-facts.ts";

/** The root directory of the examined node, and its files. */
export interface Node {
  readonly root: string;
  readonly files: NodeFiles;
}

export async function detectRuntime(node: Node, place: RuntimePlace): Promise<RuntimeFacts> {
  const program = place.programs.find(node.files.isExecutable);
  const version = program === undefined ? null : await findVersion(node.root, program);
  switch (place.kind) {
    case "containerd":
      return detectContainerd(node, place, version);
    case "cri-o":
      return detectCrio(node, place, version);
    case "podman":
      return detectPodman(node, place, version);
  }
}

async function detectContainerd(
  { files, root }: Node,
  place: RuntimePlace,
  version: string | null,
): Promise<RuntimeFacts> {
  const config = readContainerdConfig(files, place.config, version);
  const { nri } = config;
  const nriFacts = toNriFacts({
    kind: "containerd",
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
    kind: "containerd",
    distribution: place.distribution,
    version,
    socket: await findSocketFacts(root, config.address ?? place.socket ?? ""),
    config: {
      ...toConfigFacts(files, place, config),
      edit_path: findEditPath(files, place),
      version: config.version ?? null,
    },
    cri_disabled: config.isCriDisabled,
    nri: nriFacts,
    interface: nriFacts.available === false ? "base-spec" : "nri-hook",
    hooks_dirs: [],
    read_only_hooks_dirs: [],
    overridden: [],
    runc_runtimes: config.runcRuntimes.map(({ name, baseSpec, file }) => ({
      name,
      base_spec: baseSpec ?? null,
      file: file ?? null,
    })),
    other_runtimes: config.otherRuntimes,
  };
}

async function detectCrio(node: Node, place: RuntimePlace, version: string | null): Promise<RuntimeFacts> {
  const { files, root } = node;
  const config = readCrioConfig(files, place.config);
  return {
    kind: "cri-o",
    distribution: place.distribution,
    version,
    socket: await findSocketFacts(root, config.listen),
    config: toConfigFacts(files, place, config),
    cri_disabled: false,
    nri: toNriFacts({
      kind: "cri-o",
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
    runc_runtimes: [],
    other_runtimes: [],
  };
}

function detectPodman(node: Node, place: RuntimePlace, version: string | null): RuntimeFacts {
  const config = readPodmanConfig(node.files);
  return {
    kind: "podman",
    distribution: place.distribution,
    version,
    socket: null,
    config: toConfigFacts(node.files, place, config),
    cri_disabled: false,
    nri: null,
    interface: "oci-hooks",
    ...toHooksDirs(node, config.hooksDirs),
    runc_runtimes: [],
    other_runtimes: [],
  };
}

function toHooksDirs(
  { root, files }: Node,
  directories: readonly string[],
): Pick<RuntimeFacts, "hooks_dirs" | "read_only_hooks_dirs" | "overridden"> {
  return {
    hooks_dirs: directories,
    read_only_hooks_dirs: directories.filter((path) => findMountOptionsInRoot(root, path).includes("ro")),
    overridden: findOverridden(files, directories),
  };
}

function toConfigFacts(
  nodeFiles: NodeFiles,
  { config }: RuntimePlace,
  { files, problems }: { readonly files: readonly string[]; readonly problems: readonly string[] },
): RuntimeFacts["config"] {
  const exists = nodeFiles.kind(config) !== undefined;
  return { path: config, exists, edit_path: config, version: null, files, problems };
}
