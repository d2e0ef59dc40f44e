// SPDX-License-Identifier: Apache-2.0
// The settings of CRI-O's and podman's configuration that matter for the hook.

import { type NodeFiles, readDocument, tableAt, textsOf, toText } from "@rthooks/runtime-config";
import type { TomlTable } from "@rthooks/toml";
import { DEFAULT_NRI_SOCKET, HOST_HOOKS_DIR } from "./default-paths.ts";

export interface CrioConfig {
  readonly files: readonly string[];
  readonly problems: readonly string[];
  readonly listen: string;
  readonly hooksDirs: readonly string[];
  /** Undefined: the default of the version applies. */
  readonly enableNri: boolean | undefined;
  /** The deciding file. */
  readonly enableNriIn: string | undefined;
  readonly nriListen: string;
  readonly nriDisableConnections: boolean;
}

export const DEFAULT_CRIO_CONFIG = "/etc/crio/crio.conf";
const DROP_INS = "/etc/crio/crio.conf.d";
const DEFAULT_LISTEN = "/var/run/crio/crio.sock";

/** crio.conf(5): drop-in files follow the main file in the order of their names; the last value counts. */
export function readCrioConfig(files: NodeFiles, path: string): CrioConfig {
  const { documents, problems } = readLayers(files, [path, ...dropIns(files, DROP_INS, "")]);
  const last = (section: "runtime" | "nri" | "api", key: string): unknown =>
    documents
      .map(({ table }) => tableAt(table, "crio", section)[key])
      .findLast((value) => value !== undefined);
  const hooksDirs = textsOf(last("runtime", "hooks_dir"));
  const enableNri = last("nri", "enable_nri");
  return {
    files: documents.map((document) => document.path),
    problems,
    listen: toText(last("api", "listen")) ?? DEFAULT_LISTEN,
    hooksDirs: hooksDirs.length > 0 ? hooksDirs : [HOST_HOOKS_DIR],
    enableNri: typeof enableNri === "boolean" ? enableNri : undefined,
    enableNriIn: documents.findLast(({ table }) => tableAt(table, "crio", "nri")["enable_nri"] !== undefined)
      ?.path,
    nriListen: toText(last("nri", "nri_listen")) ?? DEFAULT_NRI_SOCKET,
    nriDisableConnections: last("nri", "nri_disable_connections") === true,
  };
}

export interface PodmanConfig {
  readonly files: readonly string[];
  readonly problems: readonly string[];
  readonly hooksDirs: readonly string[];
}

/** containers.conf(5): the vendor's file, the administrator's, then drop-in files; the last hooks_dir counts. */
export function readPodmanConfig(files: NodeFiles): PodmanConfig {
  const { documents, problems } = readLayers(files, [
    "/usr/share/containers/containers.conf",
    "/etc/containers/containers.conf",
    ...dropIns(files, "/etc/containers/containers.conf.d", ".conf"),
  ]);
  const given = documents
    .map(({ table }) => textsOf(tableAt(table, "engine")["hooks_dir"]))
    .findLast((list) => list.length > 0);
  // podman run by root also reads a deprecated directory if hooks_dir is not set.
  const hooksDirs = given ?? [HOST_HOOKS_DIR, "/etc/containers/oci/hooks.d"];
  return { files: documents.map((document) => document.path), problems, hooksDirs };
}

function dropIns(files: NodeFiles, directory: string, suffix: string): readonly string[] {
  return files
    .list(directory)
    .filter((name) => name.endsWith(suffix))
    .map((name) => `${directory}/${name}`);
}

interface Layers {
  readonly documents: readonly { readonly path: string; readonly table: TomlTable }[];
  readonly problems: readonly string[];
}

function readLayers(files: NodeFiles, paths: readonly string[]): Layers {
  const documents: { path: string; table: TomlTable }[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    const read = readDocument(files, path);
    if (read === undefined) continue;
    if ("problem" in read) problems.push(`${path}: ${read.problem}`);
    else documents.push({ path, table: read.table });
  }
  return { documents, problems };
}
