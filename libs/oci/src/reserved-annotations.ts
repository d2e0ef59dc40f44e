// SPDX-License-Identifier: Apache-2.0
// Reserved annotation keys, which this project adds to those of the container's spec in a RuntimeHook request.
//
// A pod's author can write annotations. So a sender removes every key with this prefix from the spec's annotations before it
// adds its own, and says so with TRUSTED_HEADER. The agent ignores these keys in a request without that header: Tetragon's
// own hook sends the spec's annotations unchanged.

import type { Annotations } from "./spec.ts";

const RESERVED_PREFIX = "rthooks.v1/";

/** The labels of the container's pod: a JSON object of strings. */
export const POD_LABELS_KEY = "rthooks.v1/pod-labels";

/** A ReportSource. */
export const REPORT_SOURCE_KEY = "rthooks.v1/learned-by";

/**
 * For the fail check alone: the runtime's handler of the container's pod (a RuntimeClass' `handler`), empty for the
 * default one. Only NRI provides it, not the OCI state that a hook gets.
 */
export const RUNTIME_HANDLER_KEY = "rthooks.v1/runtime-handler";

/** gRPC metadata with the value "1": the sender has removed the spec's reserved keys, so that they are trusted fields. */
export const TRUSTED_HEADER = "rthooks-vouched";

/**
 * Who reported a container first. `hook`: the hook that held it; `nri`: the NRI plugin at StartContainer; `synchronize`: the
 * NRI plugin, which found it running when it connected to the runtime or the agent; `cri`: the agent, which listed the
 * runtime's containers; `scan`: the agent, which found the cgroup of a container of the pod source.
 */
export type ReportSource = "hook" | "nri" | "synchronize" | "cri" | "scan";

export function withoutReservedKeys(annotations: Annotations): Annotations {
  const kept = new Map<string, string>();
  for (const [key, value] of annotations) {
    if (!key.startsWith(RESERVED_PREFIX)) kept.set(key, value);
  }
  return kept;
}
