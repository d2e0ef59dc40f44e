// SPDX-License-Identifier: Apache-2.0
// Operations on absolute paths that need no file system.

export const toDirectory = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

export const toName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Go's path.Clean for absolute paths: no ".", no "..", and one slash between names. */
export function cleanPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
