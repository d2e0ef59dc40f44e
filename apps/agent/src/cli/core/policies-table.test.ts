// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Screen } from "@rthooks/terminal";
import { type ListedPolicy, renderPolicies, toPoliciesDocument } from "./policies-table.ts";

const screen = (columns: number): Screen => ({
  columns,
  widthOf: Bun.stringWidth,
  paint: (_, text) => text,
});

const acting: ListedPolicy = {
  ...{ id: 1, name: "no-metadata", namespace: "shop", domain: "static" },
  ...{ state: "enabled", mode: "enforce", filterId: 2, heldBy: "prevented by cgroup program", error: "" },
  counts: { matches: 12, denials: 7, signals: 2, withheld: 1 },
};
const failed: ListedPolicy = {
  ...{ ...acting, id: 2, name: "no-mount", state: "load_error", filterId: 0, heldBy: "" },
  ...{ counts: undefined, error: "needs BPF LSM" },
};

test("the table has what each policy did, denials and signals together", () => {
  expect(renderPolicies([acting, failed], screen(Number.POSITIVE_INFINITY))).toEqual([
    "ID  NAME         NAMESPACE  DOMAIN  STATE       MODE     FILTERID  HELD BY                      MATCHES  ENFORCED  WITHHELD  ERROR",
    "1   no-metadata  shop       static  enabled     enforce  2         prevented by cgroup program  12       9         1         -",
    "2   no-mount     shop       static  load_error  enforce  0         -                            -        -         -         needs BPF LSM",
  ]);
});

test("a policy that could not be read has no mode", () => {
  const unread: ListedPolicy = { ...failed, name: "broken", mode: "unknown", error: "not YAML" };
  const [titles = "", line = ""] = renderPolicies([unread], screen(Number.POSITIVE_INFINITY));
  expect(line.slice(titles.indexOf("MODE"), titles.indexOf("FILTERID")).trim()).toBe("-");
});

test("a narrow terminal keeps the name, the state, what holds a policy and the error", () => {
  const [title = "", ...lines] = renderPolicies([acting, failed], screen(120));
  for (const line of [title, ...lines]) expect(line.length).toBeLessThanOrEqual(120);
  for (const column of ["NAME", "STATE", "HELD BY", "ENFORCED", "ERROR"]) expect(title).toContain(column);
});

test("JSON has each count", () =>
  expect(toPoliciesDocument([acting])).toMatchObject({ policies: [{ counts: acting.counts }] }));
