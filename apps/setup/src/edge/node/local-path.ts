// SPDX-License-Identifier: Apache-2.0

import { basename, dirname, join } from "node:path";
import { findInRoot } from "@rthooks/runtime-config/files";

/** A path of the node as this program sees it, through the node's symbolic links; the path need not exist. */
export function toLocalPath(root: string, path: string): string {
  const found = findInRoot(root, path);
  if (found !== undefined || path === "/" || path === ".") return found ?? root;
  return join(toLocalPath(root, dirname(path)), basename(path));
}
