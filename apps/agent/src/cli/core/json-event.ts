// SPDX-License-Identifier: Apache-2.0
// An event that was read as JSON, from an agent or from a file that anyone may have written.

import { type EventSubject, eventTypes, type SubjectProcess } from "../../events/core/event-subject.ts";

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export interface JsonEvent {
  readonly type: number;
  /** The event's own field, such as "process_exec". */
  readonly name: string;
  readonly content: Json;
  readonly whole: Json;
}

const typesByName: ReadonlyMap<string, number> = new Map(
  Object.entries(eventTypes).map(([name, type]) => [name.toLowerCase(), type]),
);

/** Undefined for a line that is not an event: `tetra` leaves it out too. */
export function parseJsonEvent(line: string): JsonEvent | undefined {
  let whole: unknown;
  try {
    whole = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isJson(whole)) return undefined;
  for (const [name, content] of Object.entries(whole)) {
    const type = typesByName.get(name);
    if (type !== undefined && isJson(content)) return { type, name, content, whole };
  }
  return undefined;
}

/** The value at the path; undefined where there is none. */
export function find(json: unknown, ...path: readonly string[]): unknown {
  let value = json;
  for (const key of path) {
    if (!isJson(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** As text for people; empty where there is none. */
export function findText(json: unknown, ...path: readonly string[]): string {
  const value = find(json, ...path);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? `${value}`
    : "";
}

/** What filters look at. */
export const toJsonSubject = ({ type, content }: JsonEvent): EventSubject => ({
  type,
  process: toProcess(content["process"]),
  parent: toProcess(content["parent"]),
  policyName: findText(content, "policy_name"),
});

function toProcess(json: unknown): SubjectProcess | undefined {
  if (!isJson(json)) return undefined;
  const { pod } = json;
  const labels = find(pod, "pod_labels");
  return {
    pid: Number(findText(json, "pid")),
    binary: findText(json, "binary"),
    arguments: findText(json, "arguments"),
    docker: findText(json, "docker"),
    inInitTree: find(json, "in_init_tree") === true,
    pod: isJson(pod)
      ? {
          namespace: findText(pod, "namespace"),
          name: findText(pod, "name"),
          containerName: findText(pod, "container", "name"),
          labels: new Map(
            Object.keys(isJson(labels) ? labels : {}).map((key) => [key, findText(labels, key)]),
          ),
        }
      : undefined,
  };
}
