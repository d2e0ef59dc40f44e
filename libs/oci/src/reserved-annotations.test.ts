// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { withoutReservedKeys } from "./reserved-annotations.ts";

test("every key with the reserved prefix goes, and no other", () => {
  const annotations = new Map([
    ["rthooks.v1/pod-labels", "{}"],
    ["rthooks.v1/of-a-later-version", "x"],
    ["rthooks.v10/kept", "a"],
    ["app", "b"],
  ]);
  expect([...withoutReservedKeys(annotations).keys()]).toEqual(["rthooks.v10/kept", "app"]);
});
