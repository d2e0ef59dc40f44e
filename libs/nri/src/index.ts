// SPDX-License-Identifier: Apache-2.0
// The plugin side of the Node Resource Interface (containerd/nri), over any byte stream.

export { type NriEventName, toEventMask } from "./event-mask.ts";
export type { NriInventory } from "./inventory-reader.ts";
export {
  isStopped,
  type NriAdjustment,
  type NriConfiguration,
  type NriContainer,
  type NriHooks,
  type NriPodSandbox,
} from "./nri-objects.ts";
export {
  type NriCall,
  type NriConnection,
  type NriEvent,
  type NriHandlers,
  type NriPort,
  openNriConnection,
} from "./plugin-connection.ts";
export { checkPluginName } from "./plugin-name.ts";
export type { TtrpcStatus } from "./ttrpc-status.ts";
