// SPDX-License-Identifier: Apache-2.0
// YAML by Bun's own parser, because hook calls wait while a file is parsed: 26 ms per MB against 600 ms of the
// yaml package, which tells better where the fault is and is asked when there is one. Both refuse aliases that
// expand without end.

import { describeError, err, ok, type Result } from "@rthooks/result";
import { parseAllDocuments } from "yaml";

/** Above this the place of a fault is not worth the wait. */
const maxLocatedLength = 256 * 1024;

/** The documents of the text. */
export function parseYaml(text: string): Result<readonly unknown[], string> {
  try {
    const value: unknown = Bun.YAML.parse(text);
    return ok(Array.isArray(value) ? value : [value]);
  } catch (error) {
    return err(findFault(text) ?? describeError(error));
  }
}

function findFault(text: string): string | undefined {
  if (text.length > maxLocatedLength) return undefined;
  try {
    for (const { errors } of parseAllDocuments(text, { logLevel: "error" })) {
      const [fault] = errors;
      if (fault !== undefined) return fault.message.split("\n")[0];
    }
  } catch {
    // Too deep for this parser too.
  }
  return undefined;
}
