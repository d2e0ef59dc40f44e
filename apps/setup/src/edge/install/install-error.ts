// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

export const otherInstallDir =
  "choose another directory with --local-install-dir and --host-install-dir, such as /run/tetragon";
export const otherHooksDir = "choose another of the runtime's hooks directories with --oci-hooks.local-dir";

/** One line; `remedy` is what to do where the path is on a read-only file system. */
export function describeFileError(error: unknown, path: string, remedy = ""): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (code) {
    case "EROFS":
      return `${path} is on a read-only file system${remedy === "" ? "" : `: ${remedy}`}`;
    case "ENOSPC":
    case "EDQUOT":
      return `${path}: no space left on its file system`;
    case "EACCES":
    case "EPERM":
      return `${path}: permission denied; run this program as root`;
    default:
      return `${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The mount options that hold for the path, from the longest mount point above it (proc(5), mountinfo). */
export function findMountOptions(path: string): readonly string[] {
  let found = { point: "", options: "" };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [, , , , escaped = "", options = ""] = line.split(" ");
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = path === point || path.startsWith(point === "/" ? "/" : `${point}/`);
    // Of two mounts in one place the later one is on top.
    if (point !== "" && isAbove && point.length >= found.point.length) found = { point, options };
  }
  return found.options.split(",");
}
