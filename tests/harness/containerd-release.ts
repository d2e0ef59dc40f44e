// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A containerd that scripts/containerd-download.sh unpacked. */
export interface ContainerdRelease {
  /** What it is: a suite may have moved on since the tests were written. */
  readonly version: string;
  readonly binDir: string;
  /** Of the configuration file that it writes by default. */
  readonly configVersion: 2 | 3;
}

const folder = join(import.meta.dir, "..", "..", ".cache", "containerd");

function findRelease(suite: string): ContainerdRelease {
  const path = join(folder, suite, "version");
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`make containerd-test\` first`);
  const version = readFileSync(path, "utf8").trim();
  return {
    version,
    binDir: join(folder, suite, "usr", "bin"),
    configVersion: version.startsWith("1.") ? 2 : 3,
  };
}

/** Debian trixie's (NRI off by default, configuration version 2) and forky's (NRI on, version 3). */
export const containerdReleases: readonly ContainerdRelease[] = ["trixie", "forky"].map(findRelease);
