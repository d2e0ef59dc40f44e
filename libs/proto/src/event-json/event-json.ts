// SPDX-License-Identifier: Apache-2.0
// Events as protobuf's JSON with the names of the .proto file, as Tetragon writes them. Written by hand, since a library
// that reads descriptors takes several times as long (docs/adr/0017); a test compares it with one.

import {
  type GetEventsResponse,
  KprobeAction,
  type KprobeArgument,
  type Process,
  type ProcessExec,
} from "../gen/tetragon/events.ts";
import { toArgumentJson } from "./argument-json.ts";
import { createEnumNames, orNone, renderJson, toList, toLong, toTime } from "./json-value.ts";
import { toProcessJson } from "./process-json.ts";

/** One line, without its end. `toProcess`: one that remembers, where the messages of processes recur. */
export function toEventJson(
  { event, nodeName, time, clusterName }: GetEventsResponse,
  toProcess: (one: Process) => string = toProcessJson,
): string {
  const content = event === undefined ? "" : toEvent(event, toProcess);
  const timeText = time === undefined ? "" : `,"time":"${toTime(time)}"`;
  return joinFields(
    content,
    toTextField("node_name", nodeName) + timeText + toTextField("cluster_name", clusterName),
  );
}

/** The names of the node are the same in all events. */
const lastText = { node_name: { text: "", json: "" }, cluster_name: { text: "", json: "" } };

function toTextField(name: keyof typeof lastText, text: string): string {
  if (text !== lastText[name].text) {
    const json = text === "" ? "" : `,${renderJson({ [name]: text }).slice(1, -1)}`;
    lastText[name] = { text, json };
  }
  return lastText[name].json;
}

/** The field and its value. */
function toEvent(
  event: NonNullable<GetEventsResponse["event"]>,
  toProcess: (one: Process) => string,
): string {
  switch (event.$case) {
    case "processExec":
      return `"process_exec":${toContent(event.processExec, toProcess)}`;
    case "processExit": {
      const { signal, status, time } = event.processExit;
      const end = { signal: orNone(signal), status: orNone(status), time: toTime(time) };
      return `"process_exit":${toContent(event.processExit, toProcess, end)}`;
    }
    case "processKprobe": {
      const { functionName } = event.processKprobe;
      const match = toMatch(event.processKprobe, { functionName });
      return `"process_kprobe":${toContent(event.processKprobe, toProcess, match)}`;
    }
    case "processTracepoint": {
      const { subsys, event: name } = event.processTracepoint;
      const match = toMatch(event.processTracepoint, { subsys, event: name });
      return `"process_tracepoint":${toContent(event.processTracepoint, toProcess, match)}`;
    }
    case "processLsm": {
      const { functionName } = event.processLsm;
      const match = toMatch(event.processLsm, { functionName });
      return `"process_lsm":${toContent(event.processLsm, toProcess, match)}`;
    }
    case "rateLimitInfo": {
      const { numberOfDroppedProcessEvents: dropped } = event.rateLimitInfo;
      return `"rate_limit_info":${renderJson({ number_of_dropped_process_events: toLong(dropped) })}`;
    }
  }
}

/** The processes of the event, and what else it has. */
function toContent(event: ProcessExec, toProcess: (one: Process) => string, more: object = {}): string {
  const processText = event.process === undefined ? "" : `"process":${toProcess(event.process)}`;
  const parentText = event.parent === undefined ? "" : `,"parent":${toProcess(event.parent)}`;
  const rest = renderJson(more);
  return joinFields(processText, parentText + (rest === "{}" ? "" : `,${rest.slice(1, -1)}`));
}

/** Each of `more` begins with a comma. The texts are long, and joined without a copy. */
const joinFields = (first: string, more: string): string =>
  first === "" ? `{${more.slice(1)}}` : `{${first}${more}}`;

const toActionName = createEnumNames<KprobeAction>(KprobeAction);

interface Match {
  readonly args: readonly KprobeArgument[];
  readonly policyName: string;
  readonly action: KprobeAction;
  readonly message: string;
  readonly tags: readonly string[];
}

/** Of a function, or of a tracepoint. */
interface Hook {
  readonly functionName?: string;
  readonly subsys?: string;
  readonly event?: string;
}

/** All in one literal: a copy of some fields takes as long as the rest. */
const toMatch = (
  { args, policyName, action, message, tags }: Match,
  { functionName = "", subsys = "", event = "" }: Hook,
) => ({
  function_name: orNone(functionName),
  subsys: orNone(subsys),
  event: orNone(event),
  args: toList(args, toArgumentJson),
  policy_name: orNone(policyName),
  action: toActionName(action),
  message: orNone(message),
  tags: tags.length === 0 ? undefined : tags,
});
