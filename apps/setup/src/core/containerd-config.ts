// SPDX-License-Identifier: Apache-2.0
// The settings of containerd's configuration that matter for the hook. `patch-containerd-conf` changes them.

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
  toText,
} from "@rthooks/runtime-config";
import type { TomlTable } from "@rthooks/toml";
import { listRuntimes } from "./containerd-runtimes.ts";
import { DEFAULT_NRI_SOCKET } from "./default-paths.ts";

export interface ContainerdConfig {
  readonly version: number | undefined;
  readonly files: readonly string[];
  readonly problems: readonly string[];
  /** The gRPC socket. */
  readonly address: string | undefined;
  /** The keys of the NRI table; `disable` is undefined if the default of the version applies. */
  readonly nri: {
    readonly disable: boolean | undefined;
    readonly disableConnections: boolean;
    readonly isPluginDisabled: boolean;
    readonly socketPath: string;
    /** The deciding files; empty if defaults apply. */
    readonly decidedIn: readonly string[];
    /** The default validator rejects plugins that add OCI hooks (containerd 2.2 and later). */
    readonly rejectsHooks: boolean;
  };
  readonly isCriDisabled: boolean;
  readonly runcRuntimes: readonly {
    readonly name: string;
    readonly baseSpec: string | undefined;
    /** The deciding file; undefined for containerd's built-in runtime. */
    readonly file: string | undefined;
  }[];
  /** Runtime handlers other than runc, which may ignore OCI hooks. */
  readonly otherRuntimes: readonly { readonly name: string; readonly type: string }[];
}

/** `release` is the version of the installed containerd; null if it is unknown. */
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
  const disabling = documents.filter((document) => layers.disabledIn("nri", document).length > 0);
  const runtimes = listRuntimes(layers);
  return {
    version: findVersion(tables),
    files: documents.map((document) => document.path),
    problems: [...tree.problems, ...findReplacedTables(layers), ...findUnread(layers)],
    address: findAddress(tables),
    nri: {
      disable: toBoolean(nri["disable"]),
      disableConnections: nri["disable_connections"] === true,
      isPluginDisabled: disabling.length > 0,
      socketPath: toText(nri["socket_path"]) ?? DEFAULT_NRI_SOCKET,
      decidedIn: (disabling.length > 0 ? disabling : findNriDecidingFiles(layers)).map(
        (document) => document.path,
      ),
      rejectsHooks: findHookRejection(layers, release).length > 0,
    },
    isCriDisabled: documents.some((document) => layers.disabledIn("runtime", document).length > 0),
    runcRuntimes: runtimes
      .filter(({ isRunc }) => isRunc)
      .map(({ name, table, decidingFile }) => ({
        name,
        baseSpec: toText(table["base_runtime_spec"]),
        file: decidingFile?.path,
      })),
    otherRuntimes: runtimes
      .filter(({ isRunc, type }) => !isRunc && type !== "")
      .map(({ name, type }) => ({ name, type })),
  };
}

/** The files that keep NRI plugins from connecting, else those that allow it. */
function findNriDecidingFiles(layers: ContainerdLayers): ContainerdLayers["documents"] {
  const documents = layers.contributors("nri");
  const deciding = ["disable", "disable_connections"].flatMap((key) => {
    const found = documents.findLast((document) => layers.tableIn("nri", document)?.[key] !== undefined);
    return found === undefined ? [] : [found];
  });
  const isOff = (document: (typeof documents)[number]): boolean => {
    const table = layers.tableIn("nri", document);
    return table?.["disable"] === true || table?.["disable_connections"] === true;
  };
  const off = deciding.filter(isOff);
  // In containerd 1.x a table without the key decides too: it replaces the table of an earlier file.
  return [...new Set(off.length > 0 ? off : deciding.length > 0 ? deciding : documents.slice(-1))];
}

/** As written in the files. */
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

/** In 1.x, a plugin's table of an import replaces the whole table of an earlier file. */
function findReplacedTables({ rules, documents }: ContainerdLayers): readonly string[] {
  if (rules !== "1") return [];
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const { path, table } of documents) {
    for (const id of Object.keys(tableAt(table, "plugins"))) {
      const owner = owners.get(id);
      if (owner !== undefined) {
        problems.push(
          `${path}: replaces the whole table [plugins.${JSON.stringify(id)}] of ${owner} (containerd 1.x)`,
        );
      }
      owners.set(id, path);
    }
  }
  return problems;
}

const toBoolean = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
