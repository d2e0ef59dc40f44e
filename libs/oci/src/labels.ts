// SPDX-License-Identifier: Apache-2.0

import { err, ok, parseJsonObject, type Result } from "@rthooks/result";

/** Labels of a Kubernetes object. */
export type Labels = ReadonlyMap<string, string>;

export function haveSameLabels(a: Labels, b: Labels): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}

/** A JSON object of strings. */
export function renderLabels(labels: Labels): string {
  return JSON.stringify(Object.fromEntries(labels));
}

/** Reads a JSON object of strings. The error goes on from the name of what holds the text. */
export function parseLabels(text: string): Result<Labels, string> {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return err(`is ${parsed.error}`);
  const labels = new Map<string, string>();
  for (const [key, text] of Object.entries(parsed.value)) {
    if (typeof text !== "string") return err(`has a value at ${JSON.stringify(key)} that is not a string`);
    labels.set(key, text);
  }
  return ok(labels);
}
