// SPDX-License-Identifier: Apache-2.0

import type { InspectorOptions, OpenedInspector } from "@rthooks/inspector";
import { ok, type Result } from "@rthooks/result";

/**
 * The inspector of a program with the plugin, loaded on demand: most run without it. Undefined for an empty address. The
 * error is one line that names the flag.
 */
export async function openPluginInspector(
  options: Pick<InspectorOptions, "address" | "tokenFile" | "program" | "log">,
): Promise<Result<OpenedInspector | undefined, string>> {
  if (options.address === "") return ok(undefined);
  const { openInspector } = await import("@rthooks/inspector");
  const { nriSessionMachine } = await import("@rthooks/machines/nri");
  const { hookMachine } = await import("@rthooks/machines/hook/machine");
  return openInspector({ ...options, machines: [nriSessionMachine, hookMachine], facts: undefined });
}
