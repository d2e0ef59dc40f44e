// SPDX-License-Identifier: Apache-2.0
// The paths of an installation, from the flags.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_INSTALL_DIR, HOOK } from "../../core/default-paths.ts";
import { findHooksDir, hookFilePath } from "./hooks-dir.ts";
import type { InstalledProgram } from "./references.ts";

export interface Target {
  readonly binaryName: string;
  readonly localDir: string;
  readonly hostDir: string;
  readonly hostRoot: string;
  /** Undefined for an installation without a hook file. */
  readonly hooksDir: string | undefined;
  /** Of the hook file; ends with ".json". */
  readonly hookFileName: string;
}

interface PlaceFlags {
  readonly interface: string;
  readonly "local-install-dir": string;
  readonly "host-install-dir": string;
  readonly "host-root": string;
  readonly "oci-hooks.local-dir": string;
  readonly "oci-hooks.file-name": string;
}

export function findTarget(flags: PlaceFlags, binaryName: string): Target {
  const hostDir = flags["host-install-dir"] || flags["local-install-dir"] || DEFAULT_INSTALL_DIR;
  return {
    binaryName,
    localDir: flags["local-install-dir"] || hostDir,
    hostDir,
    hostRoot: flags["host-root"],
    hooksDir: flags.interface === "oci-hooks" ? findHooksDir(flags["oci-hooks.local-dir"]) : undefined,
    hookFileName: flags["oci-hooks.file-name"] || `${binaryName}.json`,
  };
}

export const toProgram = ({ localDir, hostDir, hostRoot, binaryName }: Target): InstalledProgram => ({
  localPath: join(localDir, binaryName),
  hostPath: join(hostDir, binaryName),
  hostRoot,
});

/** The path of the hook file; undefined for an installation without one. */
export const toHookFile = ({ hooksDir, hookFileName }: Target): string | undefined =>
  hooksDir === undefined ? undefined : hookFilePath(hooksDir, hookFileName);

/** The name of the owner mark in a directory of the target: a hooks directory may have hook files of other runs. */
export const toMarkName = ({ localDir, binaryName, hookFileName }: Target, directory: string): string =>
  directory === localDir ? binaryName : hookFileName.replace(/\.json$/, "");

/** The hook to install: by default the packaged one, else the one beside this program. */
export function findLocalBinary(given: string): string {
  const packaged = `/usr/bin/${HOOK}`;
  if (given !== "") return given;
  return existsSync(packaged) ? packaged : join(dirname(process.execPath), HOOK);
}
