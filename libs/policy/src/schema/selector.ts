// SPDX-License-Identifier: Apache-2.0
// One selector of a hook (KProbeSelector): if all of its filters match, its actions are taken.

import * as v from "valibot";
import { actionList } from "./action.ts";
import { binaryFilter } from "./binary-filter.ts";
import { containerSelector, hostSelector, labelSelector } from "./label-selector-schema.ts";
import { matching, nonEmptyText, oneOf, switchedOff, text, unsigned } from "./scalar.ts";
import { listOf, requiredListOf, shape } from "./shape.ts";
import { valueFilter } from "./value-filter.ts";

const maxValueFilters = 5;
const maxNamespaceValues = 4;
const membership = oneOf(["In", "NotIn"]);

const namespaces = [
  "Uts",
  "Ipc",
  "Mnt",
  "Pid",
  "PidForChildren",
  "Net",
  "Time",
  "TimeForChildren",
  "Cgroup",
  "User",
] as const; // const: each name is a type of its own

const capabilityFilter = shape({
  type: v.optional(oneOf(["Effective", "Inheritable", "Permitted"]), "Effective"),
  operator: membership,
  isNamespaceCapability: switchedOff,
  values: requiredListOf(text),
});

const workloads = shape({ podSelector: labelSelector, containerSelector, hostSelector });

export const selector = shape(
  {
    matchArgs: listOf(valueFilter),
    matchData: listOf(valueFilter),
    matchReturnArgs: listOf(valueFilter, { count: maxValueFilters }),
    matchBinaries: listOf(binaryFilter, { count: 1 }),
    matchParentBinaries: listOf(binaryFilter, { count: 1 }),
    matchPIDs: listOf(
      shape({
        operator: membership,
        followForks: switchedOff,
        isNamespacePID: switchedOff,
        values: requiredListOf(unsigned),
      }),
    ),
    matchNamespaces: listOf(
      shape({
        namespace: oneOf(namespaces),
        operator: membership,
        values: requiredListOf(matching(/^(\d+|host_ns)$/, "the number of a namespace, or host_ns"), {
          count: maxNamespaceValues,
        }),
      }),
    ),
    matchNamespaceChanges: listOf(shape({ operator: membership, values: requiredListOf(namespaceName()) }), {
      count: 1,
    }),
    matchCapabilities: listOf(capabilityFilter),
    matchCapabilityChanges: listOf(capabilityFilter),
    matchActions: actionList,
    matchReturnActions: actionList,
    matchWorkloads: v.optional(workloads),
    macros: listOf(nonEmptyText),
    label: v.optional(text),
  },
  ({ matchArgs, matchData }, report) => {
    const count = (matchArgs?.length ?? 0) + (matchData?.length ?? 0);
    if (count > maxValueFilters) {
      const list = matchArgs?.length === 0 ? "matchData" : "matchArgs";
      report([list], `matchArgs and matchData may have ${maxValueFilters} entries together, not ${count}`);
    }
  },
);

export type Selector = v.InferOutput<typeof selector>;

/** The reference ignores the case here, and only here. */
function namespaceName(): v.GenericSchema<unknown, string> {
  const anyCase = namespaces.map((name) =>
    [...name].map((letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).join(""),
  );
  return matching(new RegExp(`^(${anyCase.join("|")})$`), `one of ${namespaces.join(", ")}`);
}
