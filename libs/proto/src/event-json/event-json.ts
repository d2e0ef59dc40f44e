// SPDX-License-Identifier: Apache-2.0
// Events as protobuf's JSON with the names of the .proto file, as Tetragon writes them. Written by hand, since a library
// that reads descriptors takes several times as long (docs/adr/0017); a test compares it with one.

import { type GetEventsResponse, KprobeAction, type ProcessExec } from "../gen/tetragon/events.ts";
import { toArgumentJson } from "./argument-json.ts";
import { createEnumNames, orNone, toList, toLong, toTime } from "./json-value.ts";
import { toProcessJson } from "./process-json.ts";

/** One line, without its end. */
export function toEventJson({ event, nodeName, time, clusterName }: GetEventsResponse): string {
  // One JSON.stringify for the whole: one for each text takes ten times as long.
  const json = JSON.stringify({
    ...(event === undefined ? undefined : toEvent(event)),
    node_name: orNone(nodeName),
    time: toTime(time),
    cluster_name: orNone(clusterName),
  });
  // JSON.stringify escapes unpaired surrogates, which have no UTF-8: Go's protojson refuses such a line.
  return json.includes("\\ud") ? json.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, "$1\ufffd") : json;
}

function toEvent(event: NonNullable<GetEventsResponse["event"]>): Readonly<Record<string, unknown>> {
  switch (event.$case) {
    case "processExec":
      return { process_exec: toProcesses(event.processExec) };
    case "processExit": {
      const { signal, status, time } = event.processExit;
      const end = { signal: orNone(signal), status: orNone(status), time: toTime(time) };
      return { process_exit: { ...toProcesses(event.processExit), ...end } };
    }
    case "processKprobe": {
      const { functionName, args } = event.processKprobe;
      return {
        process_kprobe: {
          ...toProcesses(event.processKprobe),
          function_name: orNone(functionName),
          args: toList(args, toArgumentJson),
          ...toMatch(event.processKprobe),
        },
      };
    }
    case "processTracepoint": {
      const { subsys, event: name, args } = event.processTracepoint;
      return {
        process_tracepoint: {
          ...toProcesses(event.processTracepoint),
          subsys: orNone(subsys),
          event: orNone(name),
          args: toList(args, toArgumentJson),
          ...toMatch(event.processTracepoint),
        },
      };
    }
    case "processLsm": {
      const { functionName, args } = event.processLsm;
      return {
        process_lsm: {
          ...toProcesses(event.processLsm),
          function_name: orNone(functionName),
          args: toList(args, toArgumentJson),
          ...toMatch(event.processLsm),
        },
      };
    }
    case "rateLimitInfo": {
      const { numberOfDroppedProcessEvents: dropped } = event.rateLimitInfo;
      return { rate_limit_info: { number_of_dropped_process_events: toLong(dropped) } };
    }
  }
}

const toProcesses = (event: ProcessExec) => ({
  process: event.process && toProcessJson(event.process),
  parent: event.parent && toProcessJson(event.parent),
});

const toActionName = createEnumNames<KprobeAction>(KprobeAction);

interface Match {
  readonly policyName: string;
  readonly action: KprobeAction;
  readonly message: string;
  readonly tags: readonly string[];
}

const toMatch = ({ policyName, action, message, tags }: Match) => ({
  policy_name: orNone(policyName),
  action: toActionName(action),
  message: orNone(message),
  tags: tags.length === 0 ? undefined : tags,
});
