// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";

// Another directory can be judged too, such as a release that is already installed.
const dist = process.env["RTHOOKS_DIST"] ?? join(import.meta.dir, "..", "..", "dist");

export function findProgram(name: string): string {
  const path = join(dist, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`make build\` first`);
  return path;
}

export const findHook = (): string => findProgram("tetragon-oci-hook");
export const findAgent = (): string => findProgram("tetragon");
export const findSetup = (): string => findProgram("tetragon-oci-hook-setup");
export const findOperator = (): string => findProgram("tetragon-operator");
export const findNriPlugin = (): string => findProgram("tetragon-nri-hook");

/** Tests on real runtimes never skip: what they need is installed by `make test`. */
export function findTool(name: string): string {
  const path = Bun.which(name, { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" });
  if (path === null) throw new Error(`${name} is missing: \`make test\` installs it with apt-get`);
  if (process.getuid?.() !== 0) throw new Error(`${name} is run as root by these tests; this is not root`);
  return path;
}
