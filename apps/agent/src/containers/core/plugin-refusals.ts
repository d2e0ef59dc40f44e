// SPDX-License-Identifier: Apache-2.0
// Why the NRI plugin refused containers. The agent may find a reason of its own later, such as that the cgroup is gone:
// that is what the refusal did, not what caused it.

import type { ContainerRecord } from "./container-record.ts";

export interface PluginRefusals {
  note(containerId: string, reason: string): void;
  /** The record, with the plugin's reason where the container did not start. */
  explain(record: ContainerRecord): ContainerRecord;
}

/** As many as there are failed containers on record; the oldest make room. */
const MAX_REFUSALS = 1000;
/** Of a reason, in UTF-16 code units: it is shown in one line. */
const MAX_REASON_LENGTH = 500;

export function createPluginRefusals(): PluginRefusals {
  const reasons = new Map<string, string>();
  return {
    note(containerId, reason) {
      reasons.delete(containerId);
      reasons.set(containerId, reason.slice(0, MAX_REASON_LENGTH));
      for (const oldest of reasons.keys()) {
        if (reasons.size <= MAX_REFUSALS) break;
        reasons.delete(oldest);
      }
    },
    explain(record) {
      const reason = record.state === "failed" ? reasons.get(record.id) : undefined;
      return reason === undefined ? record : { ...record, error: `refused by the NRI plugin: ${reason}` };
    },
  };
}
