// SPDX-License-Identifier: Apache-2.0
// Paths of fields in flags. A client of GetEvents may be newer than this agent: what it names is not checked.

import { findNearestNames, joinNames } from "@rthooks/policy/nearest-names";
import { eventFields } from "@rthooks/proto/events";
import { err, ok, type Result } from "@rthooks/result";

type Fields = Readonly<Record<string, string>>;

/** Fields of Tetragon's that no event of this agent has: flags may name them, such as to leave them out. */
const ofTetragon: Readonly<Record<string, readonly string[]>> = {
  "": [
    ...["ancestors", "stack_trace", "kernel_stack_trace", "user_stack_trace", "tags", "message", "data"],
    ...["return", "return_action", "ima_hash", "path", "symbol", "offset", "ref_ctr_offset"],
  ],
  Process: ["cap", "ns", "process_credentials", "binary_properties", "user", "environment_variables"],
  Pod: ["pod_annotations"],
  Container: ["security_context"],
};

/** Those of the events of all types, which are members of the response. */
const ofEvents: Fields = Object.assign(
  {},
  ...Object.entries(eventFields["GetEventsResponse"] ?? {})
    .filter(([name]) => name.startsWith("process_") || name === "rate_limit_info")
    .map(([, message]) => eventFields[message]),
);

/** Whether events have a field with this path, such as process.pod.name. The error is one line. */
export function checkFieldPath(path: string): Result<void, string> {
  let message = "";
  const before: string[] = [];
  for (const name of path.split(".")) {
    const fields = message === "" ? ofEvents : (eventFields[message] ?? {});
    if (ofTetragon[message]?.includes(name)) return ok(undefined);
    const below = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (below === undefined) return err(describe(path, before.join("."), name, Object.keys(fields)));
    if (below === "*") return ok(undefined);
    before.push(name);
    if (below === "" && before.length < path.split(".").length)
      return err(`${quote(path)} is not the path of a field: ${before.join(".")} has no fields of its own`);
    message = below;
  }
  return ok(undefined);
}

const quote = (path: string): string => JSON.stringify(path.slice(0, 100));

function describe(path: string, parent: string, name: string, known: readonly string[]): string {
  const near = findNearestNames(name, known);
  const hint = near.length > 0 ? `did you mean ${joinNames(near)}?` : `there are ${known.join(", ")}`;
  const where = parent === "" ? "events have" : `${parent} has`;
  return `${quote(path)} is not the path of a field: ${where} no ${quote(name)}; ${hint}`;
}
