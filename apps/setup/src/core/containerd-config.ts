// SPDX-License-Identifier: Apache-2.0
// What containerd's configuration says about the ways to the hook, for reading; `patch-containerd-conf` changes it.

import {
  type ContainerdLayers,
  findHookRejection,
  findRules,
  findUnread,
  guessRules,
  layerContainerd,
  type NodeFiles,
  readConfigTree,
  tableAt,
} from "@rthooks/runtime-config";
import type { TomlTable } from "@rthooks/toml";
import { listRuntimes } from "./containerd-runtimes.ts";

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
    /** Files that say so; empty where none does. */
    readonly decidedIn: readonly string[];
    /** The default validator refuses what adds OCI hooks (containerd 2.2 and later). */
    readonly rejectsHooks: boolean;
  };
  readonly isCriDisabled: boolean;
  readonly runcRuntimes: readonly {
    readonly name: string;
    readonly baseSpec: string | undefined;
    /** The file that decides on it; undefined for containerd's built-in one. */
    readonly file: string | undefined;
  }[];
  /** Handlers whose containers are not runc's, so that no OCI hook is run for them. */
  readonly otherRuntimes: readonly { readonly name: string; readonly type: string }[];
}

const DEFAULT_NRI_SOCKET = "/var/run/nri/nri.sock";

/** `release` is the installed containerd's version, if it is known. */
export function readContainerdConfig(
  files: NodeFiles,
  path: string,
  release: string | null,
): ContainerdConfig {
  const tree = readConfigTree(files, path);
  const { documents } = tree;
  const tables = documents.map(({ table }) => table);
  const layers = layerContainerd(documents, findRules(release) ?? guessRules(documents));
  const nri = layers.effective("nri");
  const disabling = documents.filter((document) => layers.disabling("nri", document).length > 0);
  const runtimes = listRuntimes(layers);
  return {
    version: findVersion(tables),
    files: documents.map((document) => document.path),
    problems: [...tree.problems, ...findLosses(layers), ...findUnread(layers)],
    address: findAddress(tables),
    nri: {
      disable: toBoolean(nri["disable"]),
      disableConnections: nri["disable_connections"] === true,
      isPluginDisabled: disabling.length > 0,
      socketPath: toText(nri["socket_path"]) ?? DEFAULT_NRI_SOCKET,
      decidedIn: (disabling.length > 0 ? disabling : findDeciders(layers)).map((document) => document.path),
      rejectsHooks: findHookRejection(layers, release).length > 0,
    },
    isCriDisabled: documents.some((document) => layers.disabling("runtime", document).length > 0),
    runcRuntimes: runtimes
      .filter(({ isRunc }) => isRunc)
      .map(({ name, table, decider }) => ({
        name,
        baseSpec: toText(table["base_runtime_spec"]),
        file: decider?.path,
      })),
    otherRuntimes: runtimes
      .filter(({ isRunc, type }) => !isRunc && type !== "")
      .map(({ name, type }) => ({ name, type })),
  };
}

/** Files that keep plugins from connecting, or else those that say that they may. */
function findDeciders(layers: ContainerdLayers): ContainerdLayers["documents"] {
  const holders = layers.holdersOf("nri");
  const deciders = ["disable", "disable_connections"].flatMap((key) => {
    const found = holders.findLast((document) => layers.tableIn("nri", document)?.[key] !== undefined);
    return found === undefined ? [] : [found];
  });
  const isOff = (document: (typeof holders)[number]): boolean => {
    const table = layers.tableIn("nri", document);
    return table?.["disable"] === true || table?.["disable_connections"] === true;
  };
  const off = deciders.filter(isOff);
  // A table without the key decides too, in containerd 1.x: what an earlier file says is gone.
  return [...new Set(off.length > 0 ? off : deciders.length > 0 ? deciders : holders.slice(-1))];
}

/** As the files write it, for `detect`. */
function findVersion(tables: readonly TomlTable[]): number | undefined {
  const versions = tables.map(({ version }) => version).filter((version) => typeof version === "number");
  return versions.findLast((version) => version !== 0);
}

function findAddress(tables: readonly TomlTable[]): string | undefined {
  const addresses = tables
    .toReversed()
    .flatMap((table) => [
      tableAt(table, "plugins", "io.containerd.server.v1.grpc")["address"],
      tableAt(table, "grpc")["address"],
    ]);
  return addresses.map(toText).find((address) => address !== undefined);
}

/** An import of 1.x that names a plugin's table again loses what was in it. */
function findLosses({ rules, documents }: ContainerdLayers): readonly string[] {
  if (rules !== "1") return [];
  const owners = new Map<string, string>();
  const losses: string[] = [];
  for (const { path, table } of documents) {
    for (const id of Object.keys(tableAt(table, "plugins"))) {
      const owner = owners.get(id);
      if (owner !== undefined) {
        losses.push(
          `${path}: replaces the whole table [plugins.${JSON.stringify(id)}] of ${owner} (containerd 1.x)`,
        );
      }
      owners.set(id, path);
    }
  }
  return losses;
}

const toText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const toBoolean = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
