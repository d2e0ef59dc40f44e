// SPDX-License-Identifier: Apache-2.0
// Which events `tetragon events` shows. The flags have the names and meanings of `tetra getevents`.

import { ok, type Result } from "@rthooks/result";
import type { WrittenFilter } from "../../events/core/event-filter.ts";
import { parseEventType } from "../../events/core/event-type-name.ts";

export interface EventQuery {
  readonly filter: Pick<
    WrittenFilter,
    | "binaryRegex"
    | "namespace"
    | "namespaceRegex"
    | "podRegex"
    | "containerNameRegex"
    | "policyNames"
    | "eventSet"
  >;
  /** Paths of fields; empty: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Without one, all events are shown. */
export const hasFilter = ({ filter }: EventQuery): boolean =>
  Object.values(filter).some((list) => list.length > 0);

interface QueryFlags {
  readonly process: readonly string[];
  readonly namespace: readonly string[];
  readonly "namespace-regex": readonly string[];
  readonly host: boolean;
  readonly pod: readonly string[];
  readonly containers: readonly string[];
  readonly "policy-names": readonly string[];
  readonly "event-types": readonly string[];
  readonly "include-fields": readonly string[];
  readonly "exclude-fields": readonly string[];
}

export function toEventQuery(flags: QueryFlags): Result<EventQuery, string> {
  const eventSet: number[] = [];
  for (const name of flags["event-types"]) {
    const type = parseEventType(name);
    if (!type.ok) return type;
    eventSet.push(type.value);
  }
  return ok({
    filter: {
      binaryRegex: flags.process,
      // Processes outside of pods are in the namespace "".
      namespace: flags.host ? [...flags.namespace, ""] : flags.namespace,
      namespaceRegex: flags["namespace-regex"],
      podRegex: flags.pod,
      containerNameRegex: flags.containers,
      policyNames: flags["policy-names"],
      eventSet,
    },
    include: flags["include-fields"],
    exclude: flags["exclude-fields"],
  });
}

/** The flags of fields whose entries can be wrong. */
const flagOf: ReadonlyMap<string, string> = new Map([
  ["binary_regex", "--process"],
  ["namespace_regex", "--namespace-regex"],
  ["pod_regex", "--pod"],
  ["container_name_regex", "--containers"],
]);

/** What is wrong with a filter, by the flag that it comes from: messages name the field of the request. */
export const nameFlag = (message: string): string =>
  message.replace(/^(?:GetEvents: )?allow_list\[0\]: (\w+): /, (whole, field: string) => {
    const name = flagOf.get(field);
    return name === undefined ? whole : `${name}: `;
  });
