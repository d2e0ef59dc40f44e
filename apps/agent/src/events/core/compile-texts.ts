// SPDX-License-Identifier: Apache-2.0
// Compiles the regular expressions and label selectors of one request. All events wait meanwhile, and each compiled text
// keeps answers, so both the time and the number are those of the whole request.

import { err, ok, type Result } from "@rthooks/result";

/** The error says which text is wrong, or that the request has too many. */
export type CompileTexts = <T>(
  texts: readonly string[],
  compile: (text: string) => Result<T, string>,
) => Result<readonly T[], string>;

const maxTexts = 256;
/** Hostile expressions take a tenth of a second each. */
const maxMs = 500;

export function createTextCompiler(nowMs: () => number): CompileTexts {
  const beganMs = nowMs();
  let count = 0;
  return (texts, compile) => {
    count += texts.length;
    if (count > maxTexts) {
      return err(`more than ${maxTexts} regular expressions and label selectors in one request`);
    }
    const compiled = [];
    for (const text of texts) {
      if (nowMs() - beganMs > maxMs) return err("the regular expressions are too large together");
      const one = compile(text);
      if (!one.ok) return one;
      compiled.push(one.value);
    }
    return ok(compiled);
  };
}
