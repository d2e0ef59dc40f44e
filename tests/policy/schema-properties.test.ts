// SPDX-License-Identifier: Apache-2.0
// What holds for any document, however wrong.
import { expect, test } from "bun:test";
import {
  type HookOutcome,
  parseTracingPolicy,
  renderMissing,
  renderProblem,
  toKernelRules,
} from "@rthooks/policy";
import fc from "fast-check";
import { change, listPlaces, type Path, type Place } from "./document-places.ts";
import { policyFiles } from "./policy-files.ts";

const runs = { numRuns: 2_000 };
const anything = fc.jsonValue({ maxDepth: 4 });
const documents = policyFiles.map(({ document }) => document);

function judgeRules(outcomes: readonly HookOutcome[]): void {
  for (const outcome of outcomes.flatMap(({ outcomes }) => outcomes)) {
    if (outcome.kind === "rule") {
      expect(outcome.rule.rule.hooks.length).toBe(outcome.rule.fallbacks.length);
      expect(outcome.rule.rule.hooks.length).toBeGreaterThan(0);
      expect(JSON.parse(JSON.stringify(outcome.rule.report))).toEqual(outcome.rule.report);
      continue;
    }
    expect(renderMissing(outcome.selector, outcome.missing)).toMatch(
      /^[\w[\].]+: [\w[\].]+ needs [^\n]{1,300}$/,
    );
  }
}

function judge(value: unknown): void {
  const parsed = parseTracingPolicy(value);
  if (parsed.ok) {
    judgeRules(toKernelRules(parsed.value, "x64"));
    judgeRules(toKernelRules(parsed.value, "arm64"));
    return;
  }
  expect(parsed.error.length).toBeGreaterThan(0);
  expect(parsed.error.length).toBeLessThanOrEqual(20);
  for (const problem of parsed.error) {
    expect(problem.path).not.toBe("");
    expect(problem.message).not.toBe("");
    expect(renderProblem(problem)).not.toContain("\n");
  }
}

test("any value is a policy or has problems, each with a path and on one line", () => {
  fc.assert(fc.property(anything, judge), runs);
  const kind = fc.constantFrom("TracingPolicy", "TracingPolicyNamespaced");
  const spec = fc.dictionary(
    fc.constantFrom(
      "kprobes",
      "tracepoints",
      "podSelector",
      "lists",
      "options",
      "selectorsMacros",
      "enforcers",
    ),
    fc.oneof(anything, fc.array(anything)),
  );
  const apiVersion = fc.constant("cilium.io/v1alpha1");
  fc.assert(fc.property(fc.record({ apiVersion, kind, metadata: anything, spec }), judge), runs);
});

const placeIn = (isWanted: (place: Place) => boolean) =>
  fc.constantFrom(...documents).chain((document) =>
    fc.record({
      document: fc.constant(document),
      place: fc.constantFrom(...listPlaces(document).filter(isWanted)),
    }),
  );

test("a policy with anything in any place is a policy or has problems", () => {
  fc.assert(
    fc.property(
      placeIn(() => true),
      anything,
      ({ document, place }, value) => judge(change(document, place.path, () => value)),
    ),
    runs,
  );
});

/** Objects of fixed fields: not the maps, and not what the API server keeps for itself. */
const isFixed = ({ path, value }: Place): boolean =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  path.at(-1) !== "matchLabels" &&
  path.at(-1) !== "selectorsMacros" &&
  !(path[0] === "metadata" && path.length > 1);

const inherited = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "length",
];
/** No field has such a name, but some are near to one. */
const unknownKey = fc.oneof(
  fc.constantFrom(...inherited, "", "0", "Kprobes", "matchArg", "Values", "namespaces", "callnotfound"),
  fc.string().filter((key) => !/^[a-zA-Z]{3,}$/.test(key)),
  fc.string({ unit: "binary" }).filter((key) => !/^[a-zA-Z]{3,}$/.test(key)),
);

test("an unknown field anywhere in a policy is refused at its own path, and nothing else is", () => {
  fc.assert(
    fc.property(placeIn(isFixed), unknownKey, anything, ({ document, place }, key, value) => {
      const changed = change(document, place.path, (old) => {
        const copy: object = { ...Object(old) };
        // An assignment to __proto__ would change the prototype instead.
        return Object.defineProperty(copy, key, { value, enumerable: true });
      });
      const parsed = parseTracingPolicy(changed);
      const paths = parsed.ok ? [] : parsed.error.map(({ path }) => path);
      expect(paths).toEqual([renderPath([...place.path, key])]);
    }),
    { numRuns: 5_000 },
  );
});

/** Its own words for a path, to have something to compare with. */
const renderPath = (path: Path): string =>
  path
    .map((key) => {
      if (typeof key === "number") return `[${key}]`;
      return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    })
    .join("")
    .replace(/^\./, "");
