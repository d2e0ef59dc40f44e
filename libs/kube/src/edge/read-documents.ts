// SPDX-License-Identifier: Apache-2.0

import { describeError, err, ok, type Result } from "@rthooks/result";
import {
  type BoundedDocument,
  createBoundedDocument,
  type Level,
  type Reduced,
} from "../core/bounded-document.ts";

const NEWLINE = 0x0a;

/** Reads a body line by line, one document each; an unfinished last line is ignored. */
export async function readLines(
  response: Response,
  levels: readonly Level[],
  onDocument: (document: Reduced | undefined) => void,
  onBytes: () => void,
): Promise<Result<void, string>> {
  let document: BoundedDocument | undefined;
  const read = await readBody(response, (bytes) => {
    onBytes();
    for (let start = 0; start < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline;
      if (end > start) {
        document ??= createBoundedDocument(levels);
        document.push(bytes.subarray(start, end));
      }
      if (newline !== -1 && document !== undefined) {
        onDocument(document.end());
        document = undefined;
      }
      start = end + 1;
    }
  });
  return read;
}

/** Reads the body as one document; `isTooLarge` if it exceeds even the last level. */
export async function readDocument(
  response: Response,
  levels: readonly Level[],
): Promise<Result<Reduced, { readonly isTooLarge: boolean; readonly message: string }>> {
  const document = createBoundedDocument(levels);
  const read = await readBody(response, document.push);
  if (!read.ok) return err({ isTooLarge: false, message: read.error });
  const reduced = document.end();
  return reduced === undefined ? err({ isTooLarge: true, message: "the answer is too large" }) : ok(reduced);
}

async function readBody(
  response: Response,
  onBytes: (bytes: Uint8Array) => void,
): Promise<Result<void, string>> {
  if (response.body === null) return ok(undefined);
  try {
    for await (const bytes of response.body) onBytes(bytes);
    return ok(undefined);
  } catch (error) {
    return err(describeError(error));
  }
}
