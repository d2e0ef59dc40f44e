// SPDX-License-Identifier: Apache-2.0
// Whether NRI's default validator rejects containers to which a plugin adds OCI hooks (containerd/nri, validation-plugins.md).

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
  /** The deciding files, in containerd's order; empty if hooks are not rejected. */
  readonly decidedIn: readonly string[];
  /** Why parts of the configuration could not be read; one line each. */
  readonly problems: readonly string[];
}

/** `release` is containerd's version, such as "2.2.0"; any other text means that it is unknown. */
export function readHookRejection(files: NodeFiles, path: string, release: string): HookRejection {
  const { documents, problems } = readConfigTree(files, path);
  if (documents.length === 0 && problems.length === 0)
    return { decidedIn: [], problems: [`${path}: does not exist`] };
  const layers = layerContainerd(documents, findRules(release) ?? guessRules(documents));
  return { decidedIn: findHookRejection(layers, release), problems };
}

/** The deciding files, in containerd's order; empty if the validator does not reject hooks. */
export function findHookRejection(layers: ContainerdLayers, release: string | null): readonly string[] {
  const validator = tableAt(layers.effective("nri"), VALIDATOR);
  const isRejecting = hasValidator(release) !== false && keys.every((key) => validator[key] === true);
  if (!isRejecting) return [];
  const documents = layers.contributors("nri");
  const deciding = keys.map((key) =>
    documents.findLast(
      (document) => tableAt(layers.tableIn("nri", document) ?? {}, VALIDATOR)[key] !== undefined,
    ),
  );
  return documents.filter((document) => deciding.includes(document)).map(({ path }) => path);
}
