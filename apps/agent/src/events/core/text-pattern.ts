// SPDX-License-Identifier: Apache-2.0
// Regular expressions of clients, in the syntax of RE2 as Go's regexp has it: linear time, whatever the expression is.

import { RE2JS } from "@bufbuild/re2";
import { describeError, err, ok, type Result } from "@rthooks/result";

/** Matches anywhere in the text. */
export type TextMatcher = (text: string) => boolean;

/** Larger ones take milliseconds for one text. */
const maxLength = 1024;
/** Texts whose answer is kept: binaries and pods recur. */
const maxKnown = 512;
/** Longer texts, such as arguments, seldom recur. */
const maxKnownLength = 256;

export function compilePattern(pattern: string): Result<TextMatcher, string> {
  if (pattern.length > maxLength) {
    return err(`a regular expression has ${pattern.length} characters: ${maxLength} are allowed`);
  }
  let expression: RE2JS;
  try {
    expression = new RE2JS(pattern);
  } catch (error) {
    return err(
      `the regular expression ${JSON.stringify(pattern)} is not RE2 syntax: ${describeError(error)}`,
    );
  }
  const known = new Map<string, boolean>();
  return ok((text) => {
    const answer = known.get(text);
    if (answer !== undefined) return answer;
    const matches = expression.test(text);
    if (text.length <= maxKnownLength) {
      if (known.size >= maxKnown) known.clear();
      known.set(text, matches);
    }
    return matches;
  });
}
