// SPDX-License-Identifier: Apache-2.0
// Containers and filters, made so that they often match and often just miss.
import {
  type Filter,
  type FilteredContainer,
  type LabelRequirement,
  type LabelSelector,
  matchAll,
} from "@rthooks/policy";
import fc from "fast-check";

const keys = fc.constantFrom("app", "tier", "k8s:io.kubernetes.pod.namespace", "__proto__");
const values = fc.constantFrom("web", "db", "shop", "ops", "");
const labels = fc
  .array(fc.tuple(fc.constantFrom("app", "tier", "__proto__"), values), { maxLength: 3 })
  .map((entries) => new Map(entries));

const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({
    key: keys,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.array(values, { maxLength: 3 }),
  }),
  fc.record({ key: keys, operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.array(fc.tuple(keys, values), { maxLength: 2 }).map((entries) => new Map(entries)),
  matchExpressions: fc.array(requirement, { maxLength: 2 }),
});
const containerSelector: fc.Arbitrary<LabelSelector> = fc.constantFrom("app", "sidecar").map((name) => ({
  matchLabels: new Map([["name", name]]),
  matchExpressions: [],
}));
export const definition: fc.Arbitrary<Filter> = fc.record({
  namespace: fc.option(fc.constantFrom("shop", "ops"), { nil: undefined }),
  podSelector: fc.option(selector, { nil: undefined, freq: 10 }),
  containerSelector: fc.oneof(
    { weight: 4, arbitrary: fc.constant(matchAll) },
    containerSelector,
    fc.constant(undefined),
  ),
  hostSelector: fc.boolean(),
});
export type Pod = Pick<FilteredContainer, "podUid" | "namespace" | "labels">;
export const pod = fc.record({
  podUid: fc.constantFrom("p1", "p2", "p3"),
  namespace: fc.constantFrom("shop", "ops"),
  labels,
});
const noPod: Pod = { podUid: undefined, namespace: "", labels: new Map() };
const cgroupId = fc.constantFrom(10n, 11n, 12n, 13n);
export const container: fc.Arbitrary<FilteredContainer> = fc
  .record({
    containerId: fc.constantFrom("a", "b", "c", "d", "e"),
    containerName: fc.constantFrom("app", "sidecar"),
    image: fc.constantFrom("x", ""),
    cgroupId,
    podName: fc.constant(""),
    hasAllLabels: fc.constant(true),
    pod: fc.option(pod, { nil: noPod, freq: 8 }),
  })
  .map(({ pod, ...fields }) => ({ ...fields, ...pod }));
