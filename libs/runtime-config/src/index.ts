// SPDX-License-Identifier: Apache-2.0
// The configuration files of a node's runtimes, parsed and merged. `./files` reads them.

export { type ConfigDocument, readConfigTree, readDocument } from "./core/config-tree.ts";
export {
  type ContainerdLayers,
  type ContainerdPlugin,
  findRules,
  findUnread,
  guessRules,
  hasValidator,
  layerContainerd,
  parseRelease,
  type Rules,
  toVersion,
} from "./core/containerd-layers.ts";
export { findHookRejection, type HookRejection, readHookRejection } from "./core/hook-rejection.ts";
export { type NodeFiles, withNewFile } from "./core/node-files.ts";
export { toDirectory, toName } from "./core/posix-path.ts";
export { findValue, isTable, mergeTables, tableAt, textsOf, toText } from "./core/toml-document.ts";
