// SPDX-License-Identifier: Apache-2.0

import { readFile, stat } from "node:fs/promises";
import { err, ok, type Result } from "@rthooks/result";
import { isMissing } from "@rthooks/sys/is-missing";
import { describeFileError } from "../install/install-error.ts";

const MAX_BYTES = 4 * 1024 * 1024;

/** The text of a configuration file or OCI spec; undefined if the file does not exist. The error is one line with the path. */
export async function readText(path: string): Promise<Result<string | undefined, string>> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return err(`${path} is not a regular file`);
    if (found.size > MAX_BYTES) return err(`${path} is larger than 4 MiB`);
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path)));
  } catch (error) {
    if (error instanceof TypeError) return err(`${path} is not valid UTF-8`);
    if (isMissing(error)) return ok(undefined);
    return err(describeFileError(error, path));
  }
}
