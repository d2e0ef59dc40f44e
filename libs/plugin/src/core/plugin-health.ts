// SPDX-License-Identifier: Apache-2.0

import { parseHealthInterval } from "@rthooks/grpc/health-flags";
import { ok, type Result } from "@rthooks/result";
import type { PluginFlags } from "./plugin-flags.ts";

export interface PluginHealth {
  readonly address: string;
  readonly intervalMs: number;
}

/** The health service that the flags ask for; undefined without an address. The error names the flag. */
export function toPluginHealth(
  flags: Pick<PluginFlags, "health-server-address" | "health-server-interval">,
): Result<PluginHealth | undefined, string> {
  const intervalMs = parseHealthInterval(flags["health-server-interval"]);
  if (!intervalMs.ok) return intervalMs;
  const address = flags["health-server-address"];
  return ok(address === "" ? undefined : { address, intervalMs: intervalMs.value });
}
