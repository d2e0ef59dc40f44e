// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { FlagTable } from "@rthooks/flags";
import { renderDefault } from "@rthooks/flags/help";
import { agentFlags } from "./flag-tables.ts";
import { referenceFlags } from "./reference-flags.ts";

const table: FlagTable = agentFlags;
const has = (name: string): boolean => Object.hasOwn(table, name);
const named = (...statuses: readonly string[]) =>
  referenceFlags.filter(({ status }) => statuses.includes(status)).map(({ name }) => name);

describe("the list of Tetragon's flags", () => {
  test("has each flag once, and each that is not the same says what it means here", () => {
    const names = referenceFlags.map(({ name }) => name);
    expect(names).toHaveLength(95);
    expect(new Set(names).size).toBe(names.length);
    expect(
      referenceFlags
        .filter(({ status, here }) => (status === "same") !== (here === ""))
        .map(({ name }) => name),
    ).toEqual([]);
  });

  test("says that a flag is there exactly where it is in the agent's table", () => {
    expect(named("same", "other").filter((name) => !has(name))).toEqual([]);
    expect(named("absent").filter(has)).toEqual([]);
  });

  test("says that a flag is the same exactly where its default and its kind are", () => {
    const differing = referenceFlags.filter(({ name, status, isSwitch, default: byDefault }) => {
      const flag = table[name];
      if (flag === undefined || status !== "same") return false;
      return renderDefault(flag) !== byDefault || (flag.kind === "boolean") !== isSwitch;
    });
    expect(differing.map(({ name }) => name)).toEqual([]);
  });

  test("sends a value only to a flag that the agent has", () => {
    const takers = referenceFlags.flatMap(({ takenBy }) => takenBy ?? []);
    expect(takers).toEqual(["persist-dir"]);
    expect(takers.every(has)).toBe(true);
  });
});
