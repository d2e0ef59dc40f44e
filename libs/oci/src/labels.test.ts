// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseLabels, renderLabels } from "./labels.ts";

test("labels come out as they went in, also a key that objects treat in their own way", () => {
  const labels = new Map([
    ["app.kubernetes.io/name", "web"],
    ["__proto__", "x"],
    ["1", "one"],
  ]);
  expect(parseLabels(renderLabels(labels))).toEqual({ ok: true, value: labels });
});

test("what is no object of texts is refused", () => {
  for (const text of ["", "[]", "null", '{"a":null}', '"a"']) expect(parseLabels(text).ok).toBe(false);
});
