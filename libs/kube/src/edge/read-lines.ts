// SPDX-License-Identifier: Apache-2.0

import { describeError, err, ok, type Result } from "@rthooks/result";

/** One pod of Kubernetes' own largest size has 1.5 MiB, and may be escaped. */
const MAX_LINE_LENGTH = 8 * 1024 * 1024;

/** Whole lines, until the body ends; a part of a line at the end is nobody's. */
export async function readLines(
  response: Response,
  onLine: (line: string) => void,
  onBytes: () => void,
): Promise<Result<void, string>> {
  if (response.body === null) return ok(undefined);
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const bytes of response.body) {
      onBytes();
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") onLine(line);
      if (rest.length > MAX_LINE_LENGTH) return err("the server sends a line without end");
    }
    return ok(undefined);
  } catch (error) {
    return err(describeError(error));
  }
}
