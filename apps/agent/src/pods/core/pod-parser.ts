// SPDX-License-Identifier: Apache-2.0
// The port for parsing lists of pods outside of the event loop's thread.

import type { Pod } from "@rthooks/kube";
import type { Result } from "@rthooks/result";
import type { WrittenText } from "../../base/core/written-text.ts";

export interface PodParser {
  /** A PodList in YAML or JSON. The error is one line. */
  parsePods(written: WrittenText): Promise<Result<readonly Pod[], string>>;
}
