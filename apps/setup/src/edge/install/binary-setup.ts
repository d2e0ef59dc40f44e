// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "@rthooks/log";

export interface BinarySetup {
  /** The hook to install. */
  readonly source: string;
  /** The install directory, as this program sees it. */
  readonly localDir: string;
  /** The install directory, as the host sees it. */
  readonly hostDir: string;
  readonly hostRoot: string;
  readonly libc: "auto" | "host" | "bundled";
  readonly libcDir: string;
  readonly force: boolean;
  /** The arguments with which the runtime will run the hook. */
  readonly hookArgs: readonly string[];
  readonly log: Logger;
}

/** The install directory in the root in which the hook is checked. */
export const toCheckDir = ({ hostRoot, localDir, hostDir }: BinarySetup): string =>
  hostRoot === "/" ? localDir : hostDir;
