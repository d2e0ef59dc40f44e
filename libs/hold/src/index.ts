// SPDX-License-Identifier: Apache-2.0
// Holding a container, for the hook and the NRI plugin: configuration, fail check, log, and the hook machine's runner.

export { type AgentAddress, parseAgentAddress } from "./core/agent-address.ts";
export { decideFailure, type FailRules } from "./core/fail-check.ts";
export { renderFailure } from "./core/failure-text.ts";
export { findConfigFlag, type HookConfig, hookFlags } from "./core/hook-flags.ts";
export type { AgentLink } from "./edge/agent-link.ts";
export { loadFailRules } from "./edge/fail-rules.ts";
export {
  type HeldContainer,
  type HoldFailure,
  type HoldResult,
  type HoldSetup,
  holdContainer,
} from "./edge/hold-container.ts";
export { createHookLog, type HookLog } from "./edge/hook-log.ts";
