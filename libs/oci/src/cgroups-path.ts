// SPDX-License-Identifier: Apache-2.0
// Expands `linux.cgroupsPath` of an OCI spec, which has two forms, to a path below the cgroup root.
//
// A text with a slash is a path. `slice:prefix:name` is the form of the systemd cgroup driver (runc
// libcontainer/cgroups/systemd, crun src/libcrun/cgroup-systemd.c): dashes in the slice's name separate its parent slices,
// and the container is a scope in the slice.

import { err, ok, type Result } from "@rthooks/result";

export type CgroupsPathError =
  | { readonly kind: "empty" }
  | { readonly kind: "root" }
  | { readonly kind: "escapes" }
  | { readonly kind: "nul" }
  | { readonly kind: "too-long"; readonly bytes: number; readonly maxBytes: number }
  | { readonly kind: "bad-slice"; readonly slice: string };

/** PATH_MAX of Linux: a longer path cannot be opened. */
const maxPathBytes = 4096;

const defaultSlice = "system.slice";
const sliceSuffix = ".slice";

/** Length in UTF-8, or a lower bound that is computed faster if the path is certainly short enough. */
function countBytes(text: string): number {
  return text.length * 3 <= maxPathBytes ? text.length : new TextEncoder().encode(text).length;
}

/** Returns the absolute path below the cgroup root, without empty and `.` elements, never the root itself. */
export function expandCgroupsPath(text: string): Result<string, CgroupsPathError> {
  if (text === "") return err({ kind: "empty" });
  if (text.includes("\0")) return err({ kind: "nul" });
  const bytes = countBytes(text);
  if (bytes > maxPathBytes) return err({ kind: "too-long", bytes, maxBytes: maxPathBytes });
  const path = text.includes("/") ? ok(text) : expandUnit(text);
  return path.ok ? normalise(path.value) : path;
}

function normalise(path: string): Result<string, CgroupsPathError> {
  let normal = "";
  for (const element of path.split("/")) {
    if (element === "" || element === ".") continue;
    if (element === "..") return err({ kind: "escapes" });
    normal += `/${element}`;
  }
  return normal === "" ? err({ kind: "root" }) : ok(normal);
}

function expandUnit(text: string): Result<string, CgroupsPathError> {
  const parts = text.split(":");
  const [slice, prefix, name] = parts;
  // Not the three-part form: the name of a cgroup directly below the root.
  if (parts.length !== 3 || slice === undefined || prefix === undefined || name === undefined)
    return ok(text);
  if (name === "") return err({ kind: "empty" });
  const parents = expandSlice(slice === "" ? defaultSlice : slice);
  if (!parents.ok) return parents;
  return ok(`${parents.value}/${name.endsWith(sliceSuffix) ? name : `${prefix}-${name}.scope`}`);
}

/** `a-b.slice` is a child of `a.slice`; `-.slice` is the root (systemd.slice(5)). */
function expandSlice(slice: string): Result<string, CgroupsPathError> {
  if (slice === "-.slice") return ok("");
  const stem = slice.slice(0, -sliceSuffix.length);
  if (!slice.endsWith(sliceSuffix) || stem === "") return err({ kind: "bad-slice", slice });
  let path = "";
  let name = "";
  for (const element of stem.split("-")) {
    if (element === "") return err({ kind: "bad-slice", slice });
    name = name === "" ? element : `${name}-${element}`;
    path += `/${name}${sliceSuffix}`;
  }
  return ok(path);
}

/** The error as the end of a sentence whose subject is the path. */
export function describeCgroupsPathError(error: CgroupsPathError): string {
  switch (error.kind) {
    case "empty":
      return "is empty";
    case "root":
      return "names the cgroup root itself";
    case "escapes":
      return 'has a ".." element';
    case "nul":
      return "has a NUL character";
    case "too-long":
      return `has ${error.bytes} bytes, more than the limit of ${error.maxBytes} (PATH_MAX)`;
    case "bad-slice":
      return `has ${JSON.stringify(error.slice)}, which is not a systemd slice name`;
  }
}
