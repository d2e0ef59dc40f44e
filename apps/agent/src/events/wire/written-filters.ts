// SPDX-License-Identifier: Apache-2.0
// Filters as flags have them: JSON objects with the names of the .proto file, such as {"namespace":["shop"]}.

import { findNearestNames, joinNames } from "@rthooks/policy/nearest-names";
import { FieldFilterAction, type GetEventsRequest } from "@rthooks/proto/events";
import { err, ok, type Result } from "@rthooks/result";
import { parseEventType } from "../core/event-type-name.ts";
import { parseJsonObjects } from "../core/json-values.ts";
import { checkFieldPath } from "./field-path.ts";

type Filter = GetEventsRequest["allowList"][number];
type FieldFilter = GetEventsRequest["fieldFilters"][number];
type Json = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0;
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isListOf =
  <T>(isOne: (value: unknown) => value is T) =>
  (value: unknown): value is T[] =>
    Array.isArray(value) && value.every(isOne);
const isTexts = isListOf(isText);
const isNumbers = isListOf(isNumber);

const texts = [
  ...["binaryRegex", "namespace", "podRegex", "argumentsRegex", "labels", "policyNames"],
  ...["parentBinaryRegex", "celExpression", "parentArgumentsRegex", "containerId", "ancestorBinaryRegex"],
  ...["containerNameRegex", "namespaceRegex"],
] as const; // const: the names are fields of a filter

export const emptyFilter: Filter = {
  ...{ binaryRegex: [], namespace: [], healthCheck: undefined, pid: [], pidSet: [], eventSet: [] },
  ...{ podRegex: [], argumentsRegex: [], labels: [], policyNames: [], capabilities: undefined },
  ...{ parentBinaryRegex: [], celExpression: [], parentArgumentsRegex: [], containerId: [] },
  ...{ inInitTree: undefined, ancestorBinaryRegex: [], containerNameRegex: [], namespaceRegex: [] },
};

export function parseFilters(text: string): Result<Filter[], string> {
  return parseEach(text, (json) => {
    const filter: Filter = { ...emptyFilter };
    for (const [name, value] of Object.entries(json)) {
      const key = toCamelCase(name);
      const listKey = texts.find((one) => one === key);
      if (listKey !== undefined && isTexts(value)) filter[listKey] = value;
      else if ((key === "pid" || key === "pidSet") && isNumbers(value)) filter[key] = value;
      else if ((key === "healthCheck" || key === "inInitTree") && isBoolean(value)) filter[key] = value;
      else if (key === "capabilities") filter.capabilities = { ...noCapabilities };
      else if (key === "eventSet") {
        const types = parseEventSet(value);
        if (!types.ok) return types;
        filter.eventSet = types.value;
      } else return err(describeField(name, value, Object.keys(emptyFilter)));
    }
    return ok(filter);
  });
}

export function parseFieldFilters(text: string): Result<FieldFilter[], string> {
  return parseEach(text, (json) => {
    const filter: FieldFilter = {
      ...{ eventSet: [], fields: [], action: FieldFilterAction.INCLUDE, invertEventSet: undefined },
    };
    for (const [name, value] of Object.entries(json)) {
      const key = toCamelCase(name);
      if (key === "fields" && isText(value)) {
        filter.fields = value.split(",").map(toSnakeCase);
        for (const path of filter.fields) {
          const checked = checkFieldPath(path);
          if (!checked.ok) return checked;
        }
      } else if (key === "action" && (value === "INCLUDE" || value === "EXCLUDE")) {
        filter.action = FieldFilterAction[value];
      } else if (key === "invertEventSet" && isBoolean(value)) filter.invertEventSet = value;
      else if (key === "eventSet") {
        const types = parseEventSet(value);
        if (!types.ok) return types;
        filter.eventSet = types.value;
      } else return err(describeField(name, value, fieldFilterNames));
    }
    return ok(filter);
  });
}

const noCapabilities = { permitted: undefined, effective: undefined, inheritable: undefined };

const fieldFilterNames = ["fields", "action", "eventSet", "invertEventSet"];

function describeField(name: string, value: unknown, known: readonly string[]): string {
  const what = `${JSON.stringify(name)} with ${JSON.stringify(value)?.slice(0, 60)} is not a field of a filter`;
  if (known.includes(toCamelCase(name))) return what;
  const names = known.map(toSnakeCase);
  const near = findNearestNames(name, names);
  return `${what}: ${near.length > 0 ? `did you mean ${joinNames(near)}?` : `there are ${names.join(", ")}`}`;
}

function parseEach<T>(text: string, parse: (json: Json) => Result<T, string>): Result<T[], string> {
  const objects = parseJsonObjects(text);
  if (!objects.ok) return objects;
  const all: T[] = [];
  for (const json of objects.value) {
    const one = parse(json);
    if (!one.ok) return one;
    all.push(one.value);
  }
  return ok(all);
}

function parseEventSet(value: unknown): Result<Filter["eventSet"], string> {
  if (!Array.isArray(value)) return err(describeField("event_set", value, ["eventSet"]));
  const types: Filter["eventSet"] = [];
  for (const name of value) {
    const type = parseEventType(String(name));
    if (!type.ok) return type;
    // The numbers of the API's enum.
    types.push(type.value as Filter["eventSet"][number]);
  }
  return ok(types);
}

/** protobuf's JSON has both forms of a name. */
const toCamelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const toSnakeCase = (path: string): string =>
  path.trim().replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
