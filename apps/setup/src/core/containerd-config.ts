// SPDX-License-Identifier: Apache-2.0
// What containerd's configuration says about the ways to the hook, for reading; `patch-containerd-conf` changes it.

import type { TomlTable } from "@rthooks/toml";
import { type ConfigTree, readConfigTree } from "./config-tree.ts";
import type { NodeFiles } from "./node-files.ts";
import { mergeTables, tableAt, textsOf } from "./toml-document.ts";

export interface ContainerdConfig {
  readonly version: number | undefined;
  readonly files: readonly string[];
  readonly problems: readonly string[];
  /** gRPC's socket. */
  readonly address: string | undefined;
  /** Plugins' own keys; undefined: the version's default holds. */
  readonly nri: {
    readonly disable: boolean | undefined;
    readonly disableConnections: boolean;
    readonly isPluginDisabled: boolean;
    readonly socketPath: string;
  };
  readonly isCriDisabled: boolean;
  readonly runcRuntimes: readonly { readonly name: string; readonly baseSpec: string | undefined }[];
}

const NRI_ID = "io.containerd.nri.v1.nri";
const DEFAULT_NRI_SOCKET = "/var/run/nri/nri.sock";

/** `major` is containerd's, if it is known. */
export function readContainerdConfig(
  files: NodeFiles,
  path: string,
  major: number | undefined,
): ContainerdConfig {
  const tree = readConfigTree(files, path);
  const tables = tree.documents.map(({ table }) => table);
  const version = findVersion(tables);
  // Before 2.0 a plugin's table in an imported file replaces the one that was there, whole.
  const isDeep = (major ?? ((version ?? 0) >= 3 ? 2 : 1)) >= 2;
  let plugins: TomlTable = {};
  for (const table of tables) {
    const next = tableAt(table, "plugins");
    plugins = isDeep ? mergeTables(plugins, next) : { ...plugins, ...next };
  }
  const nri = pick(plugins, [NRI_ID, ...(isOld(version) ? ["nri"] : [])]);
  const disabled = tables.flatMap((table) => textsOf(table["disabled_plugins"]));
  const isDisabled = (...ids: readonly string[]): boolean => ids.some((id) => disabled.includes(id));
  return {
    version,
    files: tree.documents.map((document) => document.path),
    problems: [...tree.problems, ...findLosses(tree, isDeep)],
    address: findAddress(tables, plugins),
    nri: {
      disable: toBoolean(nri["disable"]),
      disableConnections: nri["disable_connections"] === true,
      isPluginDisabled: isDisabled(NRI_ID, ...(isOld(version) ? ["nri"] : [])),
      socketPath: toText(nri["socket_path"]) ?? DEFAULT_NRI_SOCKET,
    },
    isCriDisabled: isDisabled("cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"),
    runcRuntimes: findRuncRuntimes(plugins, version),
  };
}

/** Version 1 names plugins by their last word. */
const isOld = (version: number | undefined): boolean => (version ?? 1) < 2;

/** Before 2.3 the last one that is not 0 holds for all files. */
function findVersion(tables: readonly TomlTable[]): number | undefined {
  const versions = tables.map(({ version }) => version).filter((version) => typeof version === "number");
  return versions.findLast((version) => version !== 0);
}

function findAddress(tables: readonly TomlTable[], plugins: TomlTable): string | undefined {
  const server = tableAt(plugins, "io.containerd.server.v1.grpc")["address"];
  const addresses = [server, ...tables.toReversed().map((table) => tableAt(table, "grpc")["address"])];
  return addresses.map(toText).find((address) => address !== undefined);
}

function findRuncRuntimes(plugins: TomlTable, version: number | undefined): ContainerdConfig["runcRuntimes"] {
  const id = (version ?? 1) >= 3 ? "io.containerd.cri.v1.runtime" : "io.containerd.grpc.v1.cri";
  const cri = pick(plugins, isOld(version) ? [id, "cri"] : [id]);
  const runtimes = tableAt(cri, "containerd", "runtimes");
  // containerd's own default, which any table of runtimes in the file adds to and does not take away.
  const names = new Set(["runc", ...Object.keys(runtimes)]);
  return [...names].flatMap((name) => {
    const runtime = tableAt(runtimes, name);
    const type = toText(runtime["runtime_type"]) ?? (name === "runc" ? "io.containerd.runc.v2" : "");
    const baseSpec = toText(runtime["base_runtime_spec"]);
    return type.startsWith("io.containerd.runc.") ? [{ name, baseSpec }] : [];
  });
}

/** An import of 1.7 that names a plugin's table again loses what was in it. */
function findLosses({ documents }: ConfigTree, isDeep: boolean): readonly string[] {
  if (isDeep) return [];
  const owners = new Map<string, string>();
  const losses: string[] = [];
  for (const { path, table } of documents) {
    for (const id of Object.keys(tableAt(table, "plugins"))) {
      const owner = owners.get(id);
      if (owner !== undefined) {
        losses.push(`${path}: replaces all of [plugins.${JSON.stringify(id)}] of ${owner} (containerd 1.x)`);
      }
      owners.set(id, path);
    }
  }
  return losses;
}

function pick(plugins: TomlTable, ids: readonly string[]): TomlTable {
  const id = ids.find((name) => Object.hasOwn(plugins, name));
  return id === undefined ? {} : tableAt(plugins, id);
}

const toText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const toBoolean = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
