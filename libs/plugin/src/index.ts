// SPDX-License-Identifier: Apache-2.0
// The NRI plugin, which runs as tetragon-nri-hook or inside the set-up tool.

export { parseConfigText } from "./core/config-text.ts";
export { hookEnvironment, toInjectedHook } from "./core/injected-hook.ts";
export { HOOK_ARGS, type PluginFlags, pluginFlags } from "./core/plugin-flags.ts";
export { toPluginHealth } from "./core/plugin-health.ts";
export {
  type HookOptions,
  type PluginOptions,
  parsePluginArguments,
  toHookTimeoutSeconds,
  toPluginOptions,
} from "./core/plugin-options.ts";
export { openPluginInspector } from "./edge/open-plugin-inspector.ts";
export { type Plugin, type PluginSetup, runPlugin } from "./edge/run-plugin.ts";
