// SPDX-License-Identifier: Apache-2.0
// Whether NRI's default validator keeps containerd from making containers to which a plugin adds OCI hooks (NRI
// docs/validation-plugins.md).

import { readConfigTree } from "./config-tree.ts";
import {
  type ContainerdLayers,
  findRules,
  guessRules,
  hasValidator,
  layerContainerd,
} from "./containerd-layers.ts";
import type { NodeFiles } from "./node-files.ts";
import { tableAt } from "./toml-document.ts";

const VALIDATOR = "default_validator";
const keys = ["enable", "reject_oci_hook_adjustment"] as const; // const: the names of the keys

export interface HookRejection {
  /** The files that say so, in containerd's order; empty where hooks are not rejected. */
  readonly decidedIn: readonly string[];
  /** What of the configuration could not be read, each as one line. */
  readonly problems: readonly string[];
}

/** `release` is containerd's version, "2.2.0"; whatever else stands for a version that is not known. */
export function readHookRejection(files: NodeFiles, path: string, release: string): HookRejection {
  const { documents, problems } = readConfigTree(files, path);
  if (documents.length === 0 && problems.length === 0)
    return { decidedIn: [], problems: [`${path}: is not there`] };
  const layers = layerContainerd(documents, findRules(release) ?? guessRules(documents));
  return { decidedIn: findHookRejection(layers, release), problems };
}

/** The files that have it reject hooks, in containerd's order; none where it does not. `release` as above. */
export function findHookRejection(layers: ContainerdLayers, release: string | null): readonly string[] {
  const validator = tableAt(layers.effective("nri"), VALIDATOR);
  const isRejecting = hasValidator(release) !== false && keys.every((key) => validator[key] === true);
  if (!isRejecting) return [];
  const holders = layers.holdersOf("nri");
  const deciders = keys.map((key) =>
    holders.findLast(
      (document) => tableAt(layers.tableIn("nri", document) ?? {}, VALIDATOR)[key] !== undefined,
    ),
  );
  return holders.filter((document) => deciders.includes(document)).map(({ path }) => path);
}
