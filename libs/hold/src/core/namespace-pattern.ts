// SPDX-License-Identifier: Apache-2.0
// RE2 patterns, which match in linear time. Loaded only if one is set.

import { RE2JS } from "@bufbuild/re2";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Pattern } from "./fail-check.ts";

/** Matches anywhere in the text, as Go's regexp.MatchString does. */
export function compilePattern(text: string): Result<Pattern, string> {
  try {
    return ok(new RE2JS(text));
  } catch (error) {
    return err(describeError(error));
  }
}
