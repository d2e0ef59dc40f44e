// SPDX-License-Identifier: Apache-2.0
// Why the NRI plugin refused containers. The agent may find another reason later, such as that the cgroup is gone: that is
// an effect of the refusal, not its cause.

import type { ContainerRecord } from "./container-record.ts";

export interface PluginRefusals {
  add(containerId: string, reason: string): void;
  find(containerId: string): string | undefined;
  /** Replaces the error of a failed container's record with the plugin's reason. */
  explain(record: ContainerRecord): ContainerRecord;
}

/** The number of failed containers on record; the oldest are dropped. */
const MAX_REFUSALS = 1000;
/** Of a reason, in UTF-16 code units: it is shown on one line. */
const MAX_REASON_LENGTH = 500;

export function createPluginRefusals(): PluginRefusals {
  const reasons = new Map<string, string>();
  return {
    add(containerId, reason) {
      reasons.delete(containerId);
      reasons.set(containerId, reason.slice(0, MAX_REASON_LENGTH));
      for (const oldest of reasons.keys()) {
        if (reasons.size <= MAX_REFUSALS) break;
        reasons.delete(oldest);
      }
    },
    find: (containerId) => reasons.get(containerId),
    explain(record) {
      const reason = record.state === "failed" ? reasons.get(record.id) : undefined;
      return reason === undefined ? record : { ...record, ...toPluginError(reason) };
    },
  };
}

/** The error of the record of a container that the plugin denied. */
export const toPluginError = (reason: string): Pick<ContainerRecord, "error" | "errorKind"> => ({
  error: `denied by the NRI plugin: ${reason}`,
  errorKind: "plugin",
});
