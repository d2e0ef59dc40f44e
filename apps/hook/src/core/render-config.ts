// SPDX-License-Identifier: Apache-2.0

import { formatDuration } from "@rthooks/flags";
import type { HookConfig } from "@rthooks/hold";

/** The configuration in the format of the configuration file. */
export function renderConfig(config: HookConfig): string {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(config)) {
    if (name === "help" || name === "version" || name === "just-print-config") continue;
    const isDuration = name === "grpc-timeout" || name === "grpc-timeout-allowed";
    shown[name.replaceAll("-", "_")] =
      isDuration && typeof value === "number" ? formatDuration(value) : value;
  }
  return `${JSON.stringify(shown, undefined, 2)}\n`;
}
