// SPDX-License-Identifier: Apache-2.0
// Annotation keys that this project puts into the RuntimeHook request, beside those of the container's spec.
//
// A pod author can write annotations, so whoever fills a request takes every key with this prefix out of what the
// spec carried before it adds its own. An agent believes these keys only in a request whose sender says that it did
// so (TRUSTED_HEADER): Tetragon's own hook passes on what the spec has.

import type { Annotations } from "./spec.ts";

const RESERVED_PREFIX = "rthooks.v1/";

/** The labels of the container's pod: a JSON object of texts. */
export const POD_LABELS_KEY = "rthooks.v1/pod-labels";

/** How the sender came to know of the container: a ReportSource. */
export const REPORT_SOURCE_KEY = "rthooks.v1/learned-by";

/**
 * For the fail check alone: the runtime's handler of the container's pod (a RuntimeClass' `handler`), empty for the
 * default one. NRI tells it; a hook does not know it.
 */
export const RUNTIME_HANDLER_KEY = "rthooks.v1/runtime-handler";

/** gRPC metadata, value "1": the sender has taken foreign reserved keys out. */
export const TRUSTED_HEADER = "rthooks-vouched";

/**
 * A runtime hook held the container; the NRI plugin did at StartContainer; or the plugin found it running when it
 * connected to the runtime or to the agent. The agent itself finds what runs by asking the runtime (CRI), or by the pod
 * source's word and a look at the cgroups.
 */
export type ReportSource = "hook" | "nri" | "synchronize" | "cri" | "scan";

export function withoutReservedKeys(annotations: Annotations): Annotations {
  const kept = new Map<string, string>();
  for (const [key, value] of annotations) {
    if (!key.startsWith(RESERVED_PREFIX)) kept.set(key, value);
  }
  return kept;
}
