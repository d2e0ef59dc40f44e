// SPDX-License-Identifier: Apache-2.0
// Follows each hook call to its answer: which starts wait, and which were refused. The overview of the node lists them, and
// they are changes for those who watch.

import { describeFailure } from "@rthooks/explain";
import { type ContainerReport, runsAlready } from "@rthooks/machines/pod";
import type { Refusal } from "../../base/core/refusal.ts";
import type { ContainerChanges } from "./container-changes.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { DeniedStarts } from "./denied-starts.ts";
import type { HookRequest } from "./hook-request.ts";
import { toDeniedRecord, toRefusedRecord, toRefusedRequest } from "./unrecorded-container.ts";
import type { OnAnswer } from "./waiting-callers.ts";
import type { WaitingStarts } from "./waiting-starts.ts";

export interface StartObserver {
  /** A call waits. Returns what must be called with its answer. */
  begin(report: ContainerReport): OnAnswer;
  /** A call was refused before a report could be made of it. */
  refused(request: HookRequest, refusal: Refusal): void;
  /** The NRI plugin denied the container. */
  deniedByPlugin(containerId: string, reason: string, record: ContainerRecord | undefined): void;
}

type Names = Pick<ContainerReport, "containerId" | "podNamespace" | "podName" | "containerName">;

export function createStartObserver(
  waiting: Pick<WaitingStarts, "begin">,
  denied: Pick<DeniedStarts, "add">,
  changes: Pick<ContainerChanges, "touch" | "refuse">,
  nowMs: () => number,
): StartObserver {
  const toStart = ({ containerId, podNamespace, podName, containerName }: Names) => ({
    ...{ containerId, namespace: podNamespace, pod: podName, container: containerName },
    atMs: nowMs(),
  });
  const addRefused = (names: Names, { kind, message }: Refusal): void =>
    denied.add({ ...toStart(names), by: "agent", failure: describeFailure(kind, message) });

  return {
    begin(report) {
      const end = waiting.begin(report);
      changes.touch(report.containerId, "call.waits");
      return (refusal) => {
        end();
        if (refusal !== undefined) {
          changes.refuse(() => toRefusedRecord(report, refusal), refusal.kind);
        }
        if (refusal !== undefined && !runsAlready(report)) addRefused(report, refusal);
      };
    },
    refused(request, refusal) {
      addRefused(request, refusal);
      changes.refuse(() => toRefusedRequest(request, refusal), refusal.kind);
    },
    deniedByPlugin(containerId, reason, record) {
      changes.refuse(() => toDeniedRecord(containerId, reason), "denied");
      const names = {
        containerId,
        podNamespace: record?.podNamespace ?? "",
        podName: record?.podName ?? "",
        containerName: record?.name ?? "",
      };
      denied.add({ ...toStart(names), by: "nri", failure: describeFailure("plugin", reason) });
    },
  };
}
