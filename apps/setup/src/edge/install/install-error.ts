// SPDX-License-Identifier: Apache-2.0

export const otherInstallDir =
  "choose another directory with --local-install-dir and --host-install-dir, such as /run/tetragon (value rthooks.installDir of the chart)";
export const otherHooksDir = "choose another of the runtime's hooks directories with --oci-hooks.local-dir";

/** One line that begins with the path; `remedy` completes the line for a read-only file system. */
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
