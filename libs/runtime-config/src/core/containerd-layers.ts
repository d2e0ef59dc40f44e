// SPDX-License-Identifier: Apache-2.0
// What is in force of containerd's configuration files, by the rules of its releases (LoadConfig, mergeConfig,
// MigrateConfigTo and Decode of v1.7.24, v2.1.9 and v2.3.4), and under which name each file has a plugin's table.

import type { TomlTable } from "@rthooks/toml";
import type { ConfigDocument } from "./config-tree.ts";
import { findValue, mergeTables, tableAt, textsOf } from "./toml-document.ts";

/**
 * "1": a plugin's table replaces the same one of an earlier file whole; the last version holds for all files.
 * "2.0": tables merge key by key; files of version 1 get the long names of plugins; the last version holds for the
 * merged tables. "2.3": each file is brought to the newest version before it is merged.
 */
export type Rules = "1" | "2.0" | "2.3";

/** Of a release's version, "2.1.9"; undefined where it is not known. */
export function findRules(version: string | null | undefined): Rules | undefined {
  const release = parseRelease(version);
  if (release === undefined) return undefined;
  if (release.major < 2) return "1";
  return release.major === 2 && release.minor < 3 ? "2.0" : "2.3";
}

/** NRI's default validator is built into NRI 0.10 and later, which containerd has since 2.2.0. Undefined as above. */
export function hasValidator(version: string | null | undefined): boolean | undefined {
  const release = parseRelease(version);
  return release === undefined ? undefined : release.major > 2 || (release.major === 2 && release.minor >= 2);
}

function parseRelease(
  version: string | null | undefined,
): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor) };
}

/** Where only the files are known: containerd 1 refuses version 3. */
export const guessRules = (documents: readonly ConfigDocument[]): Rules =>
  documents.some(({ table }) => toVersion(table) >= 3) ? "2.0" : "1";

export type Plugin = "nri" | "runtime";

const NRI = "io.containerd.nri.v1.nri";
const CRI = "io.containerd.grpc.v1.cri";
const CRI_RUNTIME = "io.containerd.cri.v1.runtime";

export interface ContainerdLayers {
  readonly rules: Rules;
  readonly documents: readonly ConfigDocument[];
  /** Of the merged whole. */
  readonly version: number;
  /** The name under which containerd looks for the plugin in this file. */
  nameOf(plugin: Plugin, document: ConfigDocument): string;
  /** The plugin's table in this file; undefined where it has none that is read. */
  tableIn(plugin: Plugin, document: ConfigDocument): TomlTable | undefined;
  /** Files that have a part in what is in force, in their order. */
  holdersOf(plugin: Plugin): readonly ConfigDocument[];
  /** What is in force, without containerd's own defaults. */
  effective(plugin: Plugin): TomlTable;
  /** Entries of disabled_plugins in this file that switch the plugin off. */
  disabling(plugin: Plugin, document: ConfigDocument): readonly string[];
}

export function layerContainerd(documents: readonly ConfigDocument[], rules: Rules): ContainerdLayers {
  const version = findVersion(documents, rules);
  // The migration of version 2 leaves runtimes that are there under the new name already.
  const hasNewRuntimes = documents.some(
    ({ table }) => findValue(table, ["plugins", CRI_RUNTIME, "containerd", "runtimes"]) !== undefined,
  );

  const nameOf = (plugin: Plugin, document: ConfigDocument): string => {
    const hasShortNames = rules === "1" ? version < 2 : toVersion(document.table) < 2;
    if (rules === "1") {
      const short = plugin === "nri" ? "nri" : "cri";
      const long = plugin === "nri" ? NRI : CRI;
      return hasShortNames ? short : long;
    }
    // A short "nri" would become io.containerd.grpc.v1.nri, which is not a plugin.
    if (plugin === "nri") return NRI;
    const own = rules === "2.0" ? version : toVersion(document.table);
    if (own >= 3 || (rules === "2.0" && hasNewRuntimes)) return CRI_RUNTIME;
    return hasShortNames && Object.hasOwn(tableAt(document.table, "plugins"), "cri") ? "cri" : CRI;
  };

  const tableIn = (plugin: Plugin, document: ConfigDocument): TomlTable | undefined => {
    const plugins = tableAt(document.table, "plugins");
    const name = nameOf(plugin, document);
    return Object.hasOwn(plugins, name) ? tableAt(plugins, name) : undefined;
  };

  const holdersOf = (plugin: Plugin): readonly ConfigDocument[] => {
    const holders = documents.filter((document) => tableIn(plugin, document) !== undefined);
    return rules === "1" ? holders.slice(-1) : holders;
  };

  return {
    rules,
    documents,
    version,
    nameOf,
    tableIn,
    holdersOf,
    effective: (plugin) =>
      holdersOf(plugin).reduce<TomlTable>(
        (merged, document) => mergeTables(merged, tableIn(plugin, document) ?? {}),
        {},
      ),
    disabling(plugin, document) {
      const isShort = rules === "1" && version < 2;
      const nri = isShort ? ["nri"] : [NRI];
      // The short name in a later file keeps containerd from starting: then CRI does not run either.
      const ids = plugin === "nri" ? nri : ["cri", CRI, CRI_RUNTIME];
      return textsOf(document.table["disabled_plugins"]).filter((id) => ids.includes(id));
    },
  };
}

/** 0 where the file has none. */
export const toVersion = (table: TomlTable): number => {
  const { version } = table;
  return typeof version === "number" ? version : 0;
};

function findVersion(documents: readonly ConfigDocument[], rules: Rules): number {
  const versions = documents.map(({ table }) => toVersion(table));
  switch (rules) {
    case "1":
      return versions.findLast((version) => version !== 0) ?? 1;
    case "2.0":
      return versions.findLast((version) => version > 1) ?? 3;
    case "2.3":
      return 4;
  }
}

/** Tables of the same plugins under names that containerd does not read here, each as one line for people. */
export function findUnread(layers: ContainerdLayers): readonly string[] {
  const { rules, version, documents, nameOf } = layers;
  const release = rules === "1" ? "containerd 1.x" : "containerd 2.x";
  return documents.flatMap((document) => {
    const plugins = tableAt(document.table, "plugins");
    const unread = (plugin: Plugin, names: readonly string[], isMeant: (table: TomlTable) => boolean) => {
      const read = nameOf(plugin, document);
      return names
        .filter((name) => name !== read && Object.hasOwn(plugins, name) && isMeant(tableAt(plugins, name)))
        .map((name) => {
          const key = JSON.stringify(name);
          const as = JSON.stringify(read);
          return `${document.path}: ${release} does not read [plugins.${key}] in files of version ${version}: the name there is ${as}`;
        });
    };
    return [
      ...unread("nri", ["nri", NRI], () => true),
      // The old name keeps a part of its settings in version 3.
      ...unread("runtime", ["cri", CRI, CRI_RUNTIME], (table) => table["containerd"] !== undefined),
    ];
  });
}
