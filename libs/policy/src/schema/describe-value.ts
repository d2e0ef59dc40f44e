// SPDX-License-Identifier: Apache-2.0

const maxLength = 40;

/** A value for a message: short, on one line, without the contents of lists and objects. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > maxLength ? `${value.slice(0, maxLength)}...` : value);
    case "number":
    case "bigint":
      return `the number ${value}`;
    case "boolean":
      return String(value);
    case "undefined":
      return "nothing";
    default:
      if (value === null) return "null";
      return Array.isArray(value) ? "a list" : "an object";
  }
}
