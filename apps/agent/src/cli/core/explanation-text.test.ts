// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { deniedExample, startedExample } from "@rthooks/explain/examples";
import type { Screen } from "@rthooks/terminal";
import { renderExplanations, toExplanationsDocument } from "./explanation-text.ts";

const screen = (columns = Number.POSITIVE_INFINITY): Screen => ({
  columns,
  widthOf: Bun.stringWidth,
  paint: (_, text) => text,
});

test("a container that runs", () => {
  const lines = renderExplanations([startedExample], screen());
  expect(lines[0]).toBe("shop/cache-7d9f8b6c5-x2x4z/redis  running");
  for (const line of [
    /^ {2}labels +app=cache, tier=backend +pod-source +2026-03-14T09:26:53\.598Z$/,
    /^Hold: 11 ms by the OCI hook, from 2026-03-14T09:26:53\.589Z$/,
    /^ {2}4\.30 ms +5\.20 ms +pod source +wait for the pod$/,
    /^ {2}protect-keys +shop +static +enforce +no +pod label app in \(db, web\) +app=cache$/,
    /^ {2}deny-shells +\(global\) +prevented by lsm +12 +12 +0 +0$/,
  ])
    expect(lines.filter((one) => line.test(one))).toHaveLength(1);
});

test("what acts on a container are the policies that select it", () => {
  const policies = startedExample.policies.map((policy) => ({ ...policy, selects: false }));
  const lines = renderExplanations([{ ...startedExample, policies }], screen());
  expect(lines.at(-1)).toBe("  No policy that selects it has rules in the kernel.");
});

test("a denied container says first why, and what to do", () => {
  const lines = renderExplanations([startedExample, deniedExample], screen());
  const at = lines.indexOf("payments/ledger-0/ledger  denied");
  expect(lines[at - 1]).toBe("");
  const failure = lines.indexOf("Failure", at);
  expect(lines.slice(failure + 1, failure + 3)).toEqual([
    `  ${deniedExample.failure?.what}`,
    `  ${deniedExample.failure?.next}`,
  ]);
  expect(lines.indexOf("Identity", at)).toBeGreaterThan(failure);
});

test("tables fit the terminal, also with wide characters, and obey nothing", () => {
  const hostile = "日本\u001b[2J\n".repeat(50);
  const identity = startedExample.identity.map((part) => ({ ...part, value: hostile }));
  const failure = { kind: "internal", what: "What.", next: "Next.", message: hostile };
  const lines = renderExplanations([{ ...startedExample, identity, failure }], screen(80));
  const [, ...others] = lines;
  expect(Math.max(...others.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(80);
  expect(lines.join("")).not.toMatch(/\p{C}/u);
});

test("times that no clock has are shown as they are", () => {
  const lines = renderExplanations([{ ...startedExample, firstReportMs: 1e300 }], screen());
  expect(lines).toContain("  first report: 1e+300, state: released");
});

test("a document leaves out what is not known", () => {
  expect(toExplanationsDocument([startedExample])).toEqual({
    explanations: [JSON.parse(JSON.stringify(startedExample))],
  });
});
