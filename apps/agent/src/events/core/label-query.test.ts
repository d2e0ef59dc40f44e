// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { compileLabelQuery } from "./label-query.ts";

const labels = new Map([
  ["app", "web"],
  ["example.com/tier", "front"],
  ["empty", ""],
]);

test.each([
  { query: "", isMatch: true },
  { query: "app", isMatch: true },
  { query: "!app", isMatch: false },
  { query: "! old", isMatch: true },
  { query: "app=web", isMatch: true },
  { query: "app == web", isMatch: true },
  { query: "app!=web", isMatch: false },
  { query: "old!=web", isMatch: true },
  { query: "empty=", isMatch: true },
  { query: "app in (db, web)", isMatch: true },
  { query: "app notin (db,web)", isMatch: false },
  { query: "example.com/tier in (front),app=web", isMatch: true },
  { query: "example.com/tier=back,app=web", isMatch: false },
])("$query: $isMatch", ({ query, isMatch }) => {
  const matcher = compileLabelQuery(query);
  expect(matcher.ok && matcher.value(labels)).toBe(isMatch);
});

test.each([
  "app=web,",
  "=web",
  "app in web",
  "app in (a",
  "app=a b",
  "-app",
  "app gt 3",
  "a,,b",
  "app in (a,b c)",
])("%p cannot be read", (query) => expect(compileLabelQuery(query)).toMatchObject({ ok: false }));
