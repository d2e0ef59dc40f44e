// SPDX-License-Identifier: Apache-2.0
// Which values of containerd's configuration files are in effect, by the rules of its releases (LoadConfig,
// mergeConfig, MigrateConfigTo and Decode of v1.7.24, v2.1.9 and v2.3.4), and the name of a plugin's table in each
// file.

import type { TomlTable } from "@rthooks/toml";
import type { ConfigDocument } from "./config-tree.ts";
import { findValue, mergeTables, tableAt, textsOf } from "./toml-document.ts";

/**
 * "1": a plugin's table replaces the whole table of an earlier file; the last version applies to all files.
 * "2.0": tables merge key by key; plugins in files of version 1 get their long names; the last version applies to the
 * merged tables. "2.3": each file is migrated to the newest version before the merge.
 */
export type Rules = "1" | "2.0" | "2.3";

/** The rules of a release such as "2.1.9"; undefined if it is unknown. */
export function findRules(version: string | null | undefined): Rules | undefined {
  const release = parseRelease(version);
  if (release === undefined) return undefined;
  if (release.major < 2) return "1";
  return release.major === 2 && release.minor < 3 ? "2.0" : "2.3";
}

/** Whether the release has NRI's default validator: NRI 0.10, containerd 2.2.0. Undefined for an unknown release. */
export function hasValidator(version: string | null | undefined): boolean | undefined {
  const release = parseRelease(version);
  return release === undefined ? undefined : release.major > 2 || (release.major === 2 && release.minor >= 2);
}

/** Of a version such as "2.1.9" or "v1.30.0-dev"; undefined for any other text. */
export function parseRelease(
  version: string | null | undefined,
): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return major === undefined || minor === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor) };
}

/** From the files alone: containerd 1 rejects version 3. */
export const guessRules = (documents: readonly ConfigDocument[]): Rules =>
  documents.some(({ table }) => toVersion(table) >= 3) ? "2.0" : "1";

export type ContainerdPlugin = "nri" | "runtime";

const NRI = "io.containerd.nri.v1.nri";
const CRI = "io.containerd.grpc.v1.cri";
const CRI_RUNTIME = "io.containerd.cri.v1.runtime";

export interface ContainerdLayers {
  readonly rules: Rules;
  readonly documents: readonly ConfigDocument[];
  /** Of the merged configuration. */
  readonly version: number;
  /** The name of the plugin's table in this file. */
  nameOf(plugin: ContainerdPlugin, document: ConfigDocument): string;
  /** The plugin's table in this file, if containerd reads it there. */
  tableIn(plugin: ContainerdPlugin, document: ConfigDocument): TomlTable | undefined;
  /** The files whose tables are in effect, in the order in which containerd reads them. */
  contributors(plugin: ContainerdPlugin): readonly ConfigDocument[];
  /** The merged table, without containerd's defaults. */
  effective(plugin: ContainerdPlugin): TomlTable;
  /** The entries of disabled_plugins in this file that disable the plugin. */
  disabledIn(plugin: ContainerdPlugin, document: ConfigDocument): readonly string[];
}

export function layerContainerd(documents: readonly ConfigDocument[], rules: Rules): ContainerdLayers {
  const version = findVersion(documents, rules);
  // The migration from version 2 keeps runtimes that are already under the new name.
  const hasNewRuntimes = documents.some(
    ({ table }) => findValue(table, ["plugins", CRI_RUNTIME, "containerd", "runtimes"]) !== undefined,
  );

  const nameOf = (plugin: ContainerdPlugin, document: ConfigDocument): string => {
    const hasShortNames = rules === "1" ? version < 2 : toVersion(document.table) < 2;
    if (rules === "1") {
      const short = plugin === "nri" ? "nri" : "cri";
      const long = plugin === "nri" ? NRI : CRI;
      return hasShortNames ? short : long;
    }
    // The migration renames "nri" to io.containerd.grpc.v1.nri, which is not a plugin.
    if (plugin === "nri") return NRI;
    const own = rules === "2.0" ? version : toVersion(document.table);
    if (own >= 3 || (rules === "2.0" && hasNewRuntimes)) return CRI_RUNTIME;
    return hasShortNames && Object.hasOwn(tableAt(document.table, "plugins"), "cri") ? "cri" : CRI;
  };

  const tableIn = (plugin: ContainerdPlugin, document: ConfigDocument): TomlTable | undefined => {
    const plugins = tableAt(document.table, "plugins");
    const name = nameOf(plugin, document);
    return Object.hasOwn(plugins, name) ? tableAt(plugins, name) : undefined;
  };

  const contributors = (plugin: ContainerdPlugin): readonly ConfigDocument[] => {
    const present = documents.filter((document) => tableIn(plugin, document) !== undefined);
    return rules === "1" ? present.slice(-1) : present;
  };

  return {
    rules,
    documents,
    version,
    nameOf,
    tableIn,
    contributors,
    effective: (plugin) =>
      contributors(plugin).reduce<TomlTable>(
        (merged, document) => mergeTables(merged, tableIn(plugin, document) ?? {}),
        {},
      ),
    disabledIn(plugin, document) {
      const isShort = rules === "1" && version < 2;
      const nri = isShort ? ["nri"] : [NRI];
      // With the short name in a file of a later version containerd fails to start, so CRI does not run either.
      const ids = plugin === "nri" ? nri : ["cri", CRI, CRI_RUNTIME];
      return textsOf(document.table["disabled_plugins"]).filter((id) => ids.includes(id));
    },
  };
}

/** The `version` key; 0 if it is missing. */
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

/** Tables of these plugins under names that containerd does not read; one line each. */
export function findUnread(layers: ContainerdLayers): readonly string[] {
  const { rules, version, documents, nameOf } = layers;
  const release = rules === "1" ? "containerd 1.x" : "containerd 2.x";
  return documents.flatMap((document) => {
    const plugins = tableAt(document.table, "plugins");
    const unread = (
      plugin: ContainerdPlugin,
      names: readonly string[],
      isRelevant: (table: TomlTable) => boolean,
    ) => {
      const read = nameOf(plugin, document);
      return names
        .filter((name) => name !== read && Object.hasOwn(plugins, name) && isRelevant(tableAt(plugins, name)))
        .map((name) => {
          const key = JSON.stringify(name);
          const as = JSON.stringify(read);
          return `${document.path}: ${release} does not read [plugins.${key}] in files of version ${version}: the name there is ${as}`;
        });
    };
    return [
      ...unread("nri", ["nri", NRI], () => true),
      // In version 3 the old name still has a part of the settings.
      ...unread("runtime", ["cri", CRI, CRI_RUNTIME], (table) => table["containerd"] !== undefined),
    ];
  });
}
