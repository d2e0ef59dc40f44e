// SPDX-License-Identifier: Apache-2.0
// The flags of a program with a health service, apart from the service itself: it is loaded on demand.

import { flag, parseDuration } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";

export const healthFlags = {
  "health-server-address": flag.string({
    usage:
      "address of the gRPC health service (grpc.health.v1), host:port; kubelet probes need one that they can reach, such as :6789 (default: none)",
    placeholder: "ADDRESS",
  }),
  "health-server-interval": flag.string({
    usage: "how often the health is examined for clients of Watch: a duration, or seconds as in Tetragon",
    default: "10s",
    placeholder: "DURATION",
  }),
} as const; // const: each flag keeps its own kind

/** Milliseconds. The error names the flag. */
export function parseHealthInterval(text: string): Result<number, string> {
  const parsed = /^\d+$/.test(text) ? ok(Number(text) * 1000) : parseDuration(text);
  return parsed.ok && parsed.value >= 1
    ? parsed
    : err(`--health-server-interval: ${JSON.stringify(text)} is not a duration of 1ms or more`);
}
