// SPDX-License-Identifier: Apache-2.0

import type { FieldForm } from "../core/field-filter.ts";

/** Fields whose absence is not the same as zero: wrappers of protobuf. `Pod.uid` is a text. */
const wrappers = new Set(["pid", "uid", "auid", "tid", "inInitTree", "value"]);

/** How ts-proto writes messages. */
export const messageForm: FieldForm = {
  toKey: (name) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  clear(key, value) {
    switch (typeof value) {
      case "string":
        return "";
      case "bigint":
        return 0n;
      case "number":
        return wrappers.has(key) ? undefined : 0;
      case "boolean":
        return wrappers.has(key) ? undefined : false;
      default:
        return Array.isArray(value) ? [] : value instanceof Map ? new Map() : undefined;
    }
  },
};
