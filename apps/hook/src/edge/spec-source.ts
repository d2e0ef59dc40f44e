// SPDX-License-Identifier: Apache-2.0
// Locates and reads the container's OCI spec.

import { type OciState, parseSpec, renderSpecError } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import { type ReadError, renderSysError, type System } from "@rthooks/sys";
import type { LocatedSpec } from "../core/request.ts";

/** Far above what a pod can put into a spec: a request to the agent holds at most 4 MiB. */
const MAX_SPEC_BYTES = 16 * 1024 * 1024;

/** Limit for reading the OCI state from standard input. */
export const STATE_WAIT_MS = 1000;
/** The annotations are the larger part of a state, and must fit into a request of 4 MiB. */
export const MAX_STATE_BYTES = 4 * 1024 * 1024;

/**
 * The OCI state names the bundle. Without it, the working directory is the bundle or the container's root file system, next
 * to the spec. A spec next to the root file system comes first, and an unreadable one ends the search, since a file inside
 * the root file system belongs to the container and must not be read.
 */
export function locateSpec(system: System, state: OciState | undefined): Result<LocatedSpec, string> {
  if (state?.bundle?.startsWith("/")) {
    const found = readSpec(system, state.bundle, state);
    return found.ok ? found : err(`${found.error}; the OCI state names ${state.bundle} as the bundle`);
  }

  const link = system.readLink("/proc/self/cwd");
  if (!link.ok) return err(renderSysError(link.error));
  const cwd = link.value;
  const parent = cwd.slice(0, cwd.lastIndexOf("/"));
  for (const bundle of [parent, `${parent}/userdata`]) {
    const file = readSpecFile(system, bundle);
    if (!file.ok && (file.error.code === "ENOENT" || file.error.code === "ENOTDIR")) continue;
    const found = toLocated(file, bundle, state);
    if (!found.ok) return found;
    const root = found.value.spec.rootPath;
    if (root !== undefined && toAbsolute(bundle, root) === cwd) return found;
  }
  return readSpec(system, cwd, state);
}

const toSpecPath = (bundle: string): string => `${bundle === "/" ? "" : bundle}/config.json`;

const readSpecFile = (system: System, bundle: string): Result<Uint8Array, ReadError> =>
  system.readRegularFile(toSpecPath(bundle), { maxBytes: MAX_SPEC_BYTES });

const readSpec = (system: System, bundle: string, state: OciState | undefined): Result<LocatedSpec, string> =>
  toLocated(readSpecFile(system, bundle), bundle, state);

function toLocated(
  file: Result<Uint8Array, ReadError>,
  bundle: string,
  state: OciState | undefined,
): Result<LocatedSpec, string> {
  const path = toSpecPath(bundle);
  if (!file.ok) return err(`reading ${path}: ${renderReadError(file.error)}`);
  const spec = parseSpec(file.value);
  if (!spec.ok) return err(`reading ${path}: ${renderSpecError(spec.error)}`);
  return ok({ spec: spec.value, bundle, state });
}

function renderReadError(error: ReadError): string {
  return error.code === "ETOOBIG"
    ? `the file has ${error.bytes} bytes, more than the limit of ${error.maxBytes}`
    : error.message;
}

function toAbsolute(bundle: string, path: string): string {
  const joined = path.startsWith("/") ? path : `${bundle}/${path}`;
  return joined.replace(/\/(\.\/)*/g, "/").replace(/(.)\/\.?$/, "$1");
}
