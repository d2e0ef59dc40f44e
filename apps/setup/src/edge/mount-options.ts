// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findInRoot } from "@rthooks/runtime-config/files";

/** The mount options of a path of the node; those of its nearest existing directory if the path does not exist. */
export function findMountOptionsInRoot(root: string, path: string): readonly string[] {
  let existing = findInRoot(root, path) ?? join(root, path);
  while (!existsSync(existing)) existing = dirname(existing);
  return findMountOptions(existing);
}

/** The mount options of the file system at an existing path: of its longest mount point (proc(5), mountinfo). */
export function findMountOptions(path: string): readonly string[] {
  let found = { point: "", options: "" };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [, , , , escaped = "", options = ""] = line.split(" ");
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = path === point || path.startsWith(point === "/" ? "/" : `${point}/`);
    // Of two mounts at one path, the later one covers the other.
    if (point !== "" && isAbove && point.length >= found.point.length) found = { point, options };
  }
  return found.options.split(",");
}
