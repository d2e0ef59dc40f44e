// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { isLogged } from "./log-level.ts";

test("a level below the threshold is not logged", () => {
  expect(isLogged("info", "info")).toBe(true);
  expect(isLogged("debug", "info")).toBe(false);
  expect(isLogged("warn", "error")).toBe(false);
  expect(isLogged("error", "error")).toBe(true);
});

test("a threshold that is not a level is info", () => {
  expect([isLogged("info", "loud"), isLogged("debug", "loud")]).toEqual([true, false]);
});
