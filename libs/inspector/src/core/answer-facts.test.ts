// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { overviewExample, startedExample } from "@rthooks/explain/examples";
import { answerFacts, type InspectorFacts } from "./answer-facts.ts";

const facts: InspectorFacts = {
  explain: (id) => (id === startedExample.containerId ? startedExample : undefined),
  overview: () => overviewExample,
};
const starting: InspectorFacts = { ...facts, overview: () => undefined };
const huge: InspectorFacts = {
  ...facts,
  overview: () => ({ ...overviewExample, problems: ["x".repeat(9 * 1024 * 1024)] }),
};
const known = `/api/explain?container=${startedExample.containerId}`;

test.each([
  ["another path", facts, "/", undefined],
  ["a longer path", facts, "/api/overview/", undefined],
  ["an unknown container", facts, "/api/explain?container=x", 404],
  ["no container", facts, "/api/explain", 400],
  ["a container's id that is too long", facts, `/api/explain?container=${"x".repeat(257)}`, 400],
  ["a program without explanations", undefined, known, 404],
  ["a program without an overview", undefined, "/api/overview", 404],
  ["a program that starts", starting, "/api/overview", 503],
  ["an answer that is too large", huge, "/api/overview", 500],
])("%s", async (_, given, path, status) => {
  const answer = await answerFacts(given, new URL(path, "http://localhost"));
  expect<unknown>(answer?.status).toBe(status);
  expect(answer?.text ?? "").not.toContain("\n");
});

test("an explanation and an overview as JSON", async () => {
  const read = async (path: string) => await answerFacts(facts, new URL(path, "http://localhost"));
  const [explained, overview] = [await read(known), await read("/api/overview")];
  expect([explained?.status, overview?.status]).toEqual([200, 200]);
  expect(JSON.parse(explained?.text ?? "")).toEqual(JSON.parse(JSON.stringify(startedExample)));
  expect(JSON.parse(overview?.text ?? "")).toEqual(JSON.parse(JSON.stringify(overviewExample)));
});
