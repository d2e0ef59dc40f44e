// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { FilteredContainer } from "../filter/filtered-container.ts";
import { findSelection } from "./policy-selection.ts";
import { parseTracingPolicy, type TracingPolicy } from "./tracing-policy.ts";

const container: FilteredContainer = {
  containerId: "c1",
  containerName: "app",
  image: "web",
  cgroupId: 7n,
  podUid: "u",
  podName: "web-0",
  namespace: "shop",
  labels: new Map([["app", "web"]]),
  hasAllLabels: true,
};

function parse(spec: object, namespace?: string): TracingPolicy {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
    metadata: { name: "a", ...(namespace === undefined ? {} : { namespace }) },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}
const hook = (...selectors: readonly object[]) => ({ call: "sys_read", syscall: true, selectors });
const workloads = (app: string) => ({ matchWorkloads: { podSelector: { matchLabels: { app } } } });

describe("a policy", () => {
  test("without any selector selects every container", () => {
    expect(findSelection(parse({}), container)).toEqual({ unmet: undefined, selectors: [] });
    const noPod = { ...container, podUid: undefined, podName: "" };
    expect(findSelection(parse({}), noPod).unmet).toBeUndefined();
  });

  test("of another namespace does not select it", () => {
    expect(findSelection(parse({}, "bank"), container).unmet).toEqual({
      term: "namespace is bank",
      found: "shop",
    });
    expect(findSelection(parse({}, "shop"), container).unmet).toBeUndefined();
  });

  test("for the host does not select it", () => {
    expect(findSelection(parse({ hostSelector: {} }), container).unmet?.term).toBe(
      "a process outside of all pods",
    );
  });
});

describe("selectors with matchWorkloads", () => {
  test("are listed, whether they match or not", () => {
    const spec = { kprobes: [hook(workloads("db"), workloads("web")), hook(workloads("cache"))] };
    const { unmet, selectors } = findSelection(parse(spec), container);
    expect(unmet).toBeUndefined();
    expect(selectors).toEqual([
      { selector: "kprobes[0].selectors[0]", unmet: { term: "pod label app is db", found: "app=web" } },
      { selector: "kprobes[0].selectors[1]", unmet: undefined },
      { selector: "kprobes[1].selectors[0]", unmet: { term: "pod label app is cache", found: "app=web" } },
    ]);
  });

  test("that all fail leave nothing of the policy for the container", () => {
    const spec = { kprobes: [hook(workloads("db"))] };
    expect(findSelection(parse(spec), container).unmet).toEqual({
      term: "kprobes[0].selectors[0].matchWorkloads: pod label app is db",
      found: "app=web",
    });
  });

  test.each([
    { beside: "a hook without selectors", spec: { kprobes: [hook(workloads("db")), hook()] } },
    {
      beside: "a selector without matchWorkloads",
      spec: { kprobes: [hook(workloads("db"), { matchPIDs: [{ operator: "In", values: [1] }] })] },
    },
  ])("that fail beside $beside do not matter", ({ spec }) => {
    expect(findSelection(parse(spec), container).unmet).toBeUndefined();
  });

  test("count only where the policy's own filter matches", () => {
    const spec = { podSelector: { matchLabels: { app: "db" } }, kprobes: [hook(workloads("web"))] };
    expect(findSelection(parse(spec), container)).toEqual({
      unmet: { term: "pod label app is db", found: "app=web" },
      selectors: [{ selector: "kprobes[0].selectors[0]", unmet: undefined }],
    });
  });

  test("apply to all namespaces, also in a namespaced policy", () => {
    expect(findSelection(parse({ kprobes: [hook(workloads("web"))] }, "bank"), container)).toMatchObject({
      unmet: { term: "namespace is bank" },
      selectors: [{ unmet: undefined }],
    });
  });
});
