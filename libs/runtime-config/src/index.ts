// SPDX-License-Identifier: Apache-2.0
// What the configuration files of a node's runtimes say. `./files` reads them.

export { type ConfigDocument, readConfigTree, readDocument } from "./core/config-tree.ts";
export {
  type ContainerdLayers,
  findRules,
  findUnread,
  guessRules,
  hasValidator,
  layerContainerd,
  type Plugin,
  type Rules,
  toVersion,
} from "./core/containerd-layers.ts";
export { findHookRejection, type HookRejection, readHookRejection } from "./core/hook-rejection.ts";
export { type NodeFiles, withNewFile } from "./core/node-files.ts";
export { toDirectory, toName } from "./core/posix-path.ts";
export { findValue, isTable, mergeTables, tableAt, textsOf } from "./core/toml-document.ts";
