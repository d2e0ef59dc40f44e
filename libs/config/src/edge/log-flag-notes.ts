// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "@rthooks/log";
import type { LoadedFlags } from "./load-flags.ts";

/** `program`: the one whose flags are accepted, as "Tetragon". */
export function logFlagNotes(
  { foreign, unknown }: Pick<LoadedFlags<never>, "foreign" | "unknown">,
  program: string,
  log: Logger,
): void {
  for (const { name, origin, here, isDefault } of foreign) {
    const fields = { flag: `--${name}`, from: origin, here };
    if (isDefault) log.info(`flag of ${program} that this program does not have, with its default`, fields);
    else log.warn(`flag of ${program} that this program does not have`, fields);
  }
  for (const { origin, near } of unknown) {
    log.warn("not a flag: ignored", {
      from: origin,
      didYouMean: near === undefined ? undefined : `--${near}`,
    });
  }
}
