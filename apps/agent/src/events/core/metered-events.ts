// SPDX-License-Identifier: Apache-2.0

import type { MeteredEvents } from "../../base/core/agent-state-metrics.ts";
import type { EventStatistics } from "./thread-messages.ts";

/** The statistics under the names that Tetragon's metrics have. */
export function toMeteredEvents({
  records,
  unreadable,
  abandoned,
  events,
  lost,
  processes,
  evicted,
}: EventStatistics): MeteredEvents {
  return {
    events: [
      ["PROCESS_EXEC", events.exec],
      ["PROCESS_EXIT", events.exit],
      ["PROCESS_KPROBE", events.kprobe],
      ["PROCESS_TRACEPOINT", events.tracepoint],
      ["PROCESS_LSM", events.lsm],
    ],
    received: Object.values(records).reduce((sum, count) => sum + count, unreadable),
    unreadable,
    abandoned,
    lost: [
      ["MSG_OP_EXECVE", lost.exec],
      ["MSG_OP_EXIT", lost.exit],
      ["MSG_OP_CLONE", lost.fork],
      ["MSG_OP_GENERIC_KPROBE", lost.match],
      ["MSG_OP_CGROUP", lost.cgroup_gone],
    ],
    ...{ cached: processes, evicted },
  };
}
