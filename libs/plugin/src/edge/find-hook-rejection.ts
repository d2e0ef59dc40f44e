// SPDX-License-Identifier: Apache-2.0
// Loaded on demand: only inject mode on containerd needs the parser.

import type { Logger } from "@rthooks/log";
import { readHookRejection } from "@rthooks/runtime-config";
import { openNodeFiles } from "@rthooks/runtime-config/files";

/**
 * The files of containerd's configuration that make its default validator reject hooks; empty also if the configuration
 * cannot be read. `path` is a path on the host, below `hostRoot`.
 */
export function findHookRejection(
  hostRoot: string,
  path: string,
  containerdVersion: string,
  log: Logger,
): readonly string[] {
  const { decidedIn, problems } = readHookRejection(openNodeFiles(hostRoot), path, containerdVersion);
  for (const problem of problems)
    log.debug("cannot read all of containerd's configuration: it may reject hooks", { err: problem });
  return decidedIn;
}
