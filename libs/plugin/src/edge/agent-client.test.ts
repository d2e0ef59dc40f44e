// SPDX-License-Identifier: Apache-2.0
import { resolveFlags } from "@rthooks/flags";
import { hookFlags } from "@rthooks/hold";
import { describeAgentLink } from "@rthooks/hold/agent-link-contract";
import { openSystem } from "@rthooks/sys";
import { openAgentClient } from "./agent-client.ts";

const system = await openSystem();

describeAgentLink("of the plugin's connection", ["unix", "tcp"], (address) => {
  const nowMs = (): number => system.monotonicMs();
  const client = openAgentClient(address, resolveFlags(hookFlags), "plugin/1", nowMs, () => {});
  return { link: client.openLink(), close: client.close };
});
