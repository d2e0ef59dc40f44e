// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseLabels, renderLabels, withoutReservedKeys } from "./reserved-annotations.ts";

test("every key with the reserved prefix goes, and no other", () => {
  const annotations = new Map([
    ["rthooks.v1/pod-labels", "{}"],
    ["rthooks.v1/of-a-later-version", "x"],
    ["rthooks.v10/kept", "a"],
    ["app", "b"],
  ]);
  expect([...withoutReservedKeys(annotations).keys()]).toEqual(["rthooks.v10/kept", "app"]);
});

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
