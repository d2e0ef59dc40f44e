// SPDX-License-Identifier: Apache-2.0
// The port through which policies are parsed, away from the event loop.

import type { TracingPolicy } from "@rthooks/policy";
import type { Result } from "@rthooks/result";
import type { WrittenText } from "../../base/core/written-text.ts";

export interface PolicyParser {
  /** One YAML or JSON document. The error has one line for each problem. */
  parsePolicy(written: WrittenText): Promise<Result<TracingPolicy, string>>;
  /** An object of the API server, as JSON. The error is one line. */
  parsePolicyObject(written: string): Promise<Result<TracingPolicy, string>>;
}
