// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { HOST_MARKER } from "../filter/filter-definition.ts";
import { createFilterState } from "../filter/filter-state.ts";
import { matchAll } from "../label-selector.ts";
import { parseTracingPolicy, renderPolicyProblem } from "./parse-tracing-policy.ts";
import { findMode, toFilterDefinition } from "./policy-meaning.ts";

const document = (spec: object, more: object = {}) => ({
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name: "p" },
  spec,
  ...more,
});
const namespaced = (spec: object) =>
  document(spec, { kind: "TracingPolicyNamespaced", metadata: { name: "p", namespace: "shop" } });
const parse = (value: unknown) => {
  const parsed = parseTracingPolicy(value);
  if (!parsed.ok) throw new Error(parsed.error.map(renderPolicyProblem).join("; "));
  return parsed.value;
};
const problems = (value: unknown): readonly string[] => {
  const parsed = parseTracingPolicy(value);
  return parsed.ok ? [] : parsed.error.map(renderPolicyProblem);
};
const kprobe = (more: object = {}) => ({ kprobes: [{ call: "sys_write", ...more }] });
const selector = (more: object) => kprobe({ selectors: [more] });

describe("a policy", () => {
  test("has its defaults, and null is nothing", () => {
    const { spec } = parse(
      document({ ...kprobe({ args: [{ index: 0 }], selectors: null }), podSelector: null }),
    );
    expect(spec.kprobes?.[0]).toMatchObject({
      syscall: true,
      return: false,
      args: [{ index: 0, type: "auto" }],
    });
    expect(spec.podSelector).toBeNull();
  });

  test("keeps what the API server adds to its metadata to itself", () => {
    const metadata = { name: "p", uid: "u", resourceVersion: "7", managedFields: [{}], labels: { a: "b" } };
    expect(parse(document({}, { metadata }))).toMatchObject({ name: "p", namespace: undefined });
  });

  test("of a namespace is of that one", () => {
    expect(parse(namespaced({})).namespace).toBe("shop");
  });

  test("may be as rich as the field has them", () => {
    const policy = parse(
      document({
        kprobes: [
          {
            call: "list:calls",
            syscall: true,
            return: true,
            returnArg: { index: 0, type: "int" },
            returnArgAction: "TrackSock",
            message: "x".repeat(300),
            tags: ["observability.filesystem"],
            args: [{ index: 1, type: "char_buf", sizeArgIndex: 3, label: "path" }],
            selectors: [
              {
                macros: ["shells"],
                matchPIDs: [{ operator: "NotIn", followForks: true, isNamespacePID: false, values: [0, 1] }],
                matchArgs: [{ index: 1, operator: "Prefix", values: ["/etc/"] }],
                matchBinaries: [{ operator: "In", values: ["/bin/sh"], followChildren: true }],
                matchNamespaces: [{ namespace: "Pid", operator: "NotIn", values: ["host_ns"] }],
                matchCapabilities: [{ type: "Effective", operator: "In", values: ["CAP_SYS_ADMIN"] }],
                matchReturnArgs: [{ index: 0, operator: "Equal", values: ["-1"] }],
                matchActions: [
                  { action: "Override", argError: -1 },
                  { action: "Post", rateLimit: "5m" },
                ],
              },
            ],
          },
        ],
        tracepoints: [{ subsystem: "raw_syscalls", event: "sys_exit", args: [{ index: 4, type: "int64" }] }],
        lsmhooks: [{ hook: "file_open", args: [{ index: 0, type: "file" }] }],
        uprobes: [{ path: "/bin/bash", symbols: ["readline"] }],
        usdts: [{ path: "/lib/libc.so.6", provider: "libc", name: "memory" }],
        lists: [{ name: "calls", type: "syscalls", values: ["sys_write"] }],
        enforcers: [{ calls: ["list:calls"] }],
        options: [{ name: "policy-mode", value: "monitor" }],
        selectorsMacros: { shells: { matchBinaries: [{ operator: "In", values: ["/bin/sh"] }] } },
        podSelector: { matchLabels: { app: "web" } },
        containerSelector: {
          matchExpressions: [{ key: "repo", operator: "In", values: ["docker.io/library/nginx"] }],
        },
      }),
    );
    expect(policy.spec.kprobes?.[0]?.message).toHaveLength(256);
    expect(findMode(policy)).toBe("monitor");
  });
});

const bad: readonly (readonly [unknown, string])[] = [
  [7, "expected an object"],
  [null, "expected an object"],
  [document({}, { kind: "Pod" }), "kind: unknown CRD kind: Pod"],
  [document({}, { apiVersion: "v1" }), 'apiVersion: "v1" is none of cilium.io/v1alpha1'],
  [document({}, { metadata: {} }), "metadata.name: is missing"],
  [document({}, { metadata: { name: "No" } }), 'metadata.name: "No" is no DNS subdomain name'],
  [
    document({}, { kind: "TracingPolicyNamespaced" }),
    "metadata.namespace: is needed for a TracingPolicyNamespaced",
  ],
  [document({}, { extra: 1 }), "extra: unknown field; known here: apiVersion, kind, metadata, spec, status"],
  [document({ podSelctor: {} }), "spec.podSelctor: unknown field; known here: kprobes, fentries, "],
  [document(kprobe({ cal: "x" })), "spec.kprobes[0].cal: unknown field; known here: call, syscall, "],
  [document({ kprobes: [{}] }), "spec.kprobes[0].call: is missing"],
  [document({ kprobes: {} }), "spec.kprobes: expected a list, not Object"],
  [document(kprobe({ syscall: "yes" })), 'spec.kprobes[0].syscall: expected true or false, not "yes"'],
  [document(kprobe({ return: true })), "spec.kprobes[0].returnArg: is needed with return: true"],
  [document(kprobe({ message: "x" })), "spec.kprobes[0].message: has less than 2 characters"],
  [document(kprobe({ args: [{ index: -1 }] })), "spec.kprobes[0].args[0].index: -1 is negative"],
  [document(kprobe({ args: [{ index: 1.5 }] })), "spec.kprobes[0].args[0].index: 1.5 is no whole number"],
  [
    document(kprobe({ tags: Array.from({ length: 17 }, () => "t") })),
    "spec.kprobes[0].tags: has 17 entries, at most 16",
  ],
  [
    document(selector({ matchArgs: [{ index: 0, operator: "Equals", values: ["x"] }] })),
    'spec.kprobes[0].selectors[0].matchArgs[0].operator: "Equals" is none of Equal, NotEqual, ',
  ],
  [
    document(selector({ matchArgs: [{ index: 0, operator: "Equal", values: [1] }] })),
    "spec.kprobes[0].selectors[0].matchArgs[0].values[0]: expected a text, not 1",
  ],
  [
    document(selector({ matchActions: [{ action: "Kill" }] })),
    'spec.kprobes[0].selectors[0].matchActions[0].action: "Kill" is none of Post, NoPost, Sigkill, ',
  ],
  [
    document(selector({ matchActions: [{ action: "Signal" }] })),
    "spec.kprobes[0].selectors[0].matchActions[0].argSig: Signal needs the number of a signal",
  ],
  [document(selector({ macros: ["x"] })), 'spec.kprobes[0].selectors[0].macros[0]: there is no macro "x"'],
  [document(kprobe({ call: "list:none" })), 'spec.kprobes[0].call: there is no list "none"; there are: none'],
  [
    document({ kprobes: Array.from({ length: 1 }, () => ({ call: "x", selectors: Array(6).fill({}) })) }),
    "spec.kprobes[0].selectors: has 6 entries",
  ],
  [
    document({ podSelector: { matchLabels: { "a b": "x" } } }),
    'spec.podSelector.matchLabels.a b: "a b" is no key of a label',
  ],
  [
    document({ podSelector: { matchExpressions: [{ key: "a", operator: "In" }] } }),
    "spec.podSelector.matchExpressions[0]: In needs values",
  ],
  [
    document({ podSelector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["x"] }] } }),
    "spec.podSelector.matchExpressions[0]: Exists takes no values",
  ],
  [document({ hostSelector: { matchLabels: { a: "b" } } }), "spec.hostSelector: can only be {}"],
  [namespaced({ hostSelector: {} }), "spec.hostSelector: is for a TracingPolicy"],
  [namespaced({ uprobes: [{ path: "/x" }] }), "spec.uprobes: are for a TracingPolicy"],
  [document({ enforcers: [{ calls: ["a"] }, { calls: ["b"] }] }), "spec.enforcers: has 2 entries, at most 1"],
  [
    document({ uprobes: [{ path: "/x", symbols: ["a"], addrs: [1] }] }),
    "spec.uprobes[0]: takes one of symbols",
  ],
  [
    document({ options: [{ name: "policy-mode", value: "kill" }] }),
    'spec.options[0].value: "kill" is not enforce or monitor',
  ],
];

describe("what is wrong is named with its place", () => {
  test.each(bad)("%j", (value, expected) => {
    expect(problems(value)).toEqual([expect.stringContaining(expected)]);
  });

  test("all of it, up to twenty", () => {
    expect(problems(document({ kprobes: [{ cal: 1 }, { call: 2 }] })).length).toBe(3);
    expect(problems(document({ kprobes: Array.from({ length: 100 }, () => ({})) })).length).toBe(20);
  });
});

describe("what a policy is about", () => {
  const about = (value: unknown) => toFilterDefinition(parse(value));
  const web = { matchLabels: { app: "web" } };

  test("everything, where it selects nothing or all of it", () => {
    expect(about(document({}))).toBeUndefined();
    expect(about(document({ podSelector: {}, containerSelector: {}, hostSelector: {} }))).toBeUndefined();
  });

  test("a selector of pods takes all of their containers, and the other way round", () => {
    expect(about(document({ podSelector: web }))).toMatchObject({
      containerSelector: matchAll,
      hostSelector: false,
    });
    expect(about(document({ containerSelector: { matchLabels: { name: "app" } } }))).toMatchObject({
      podSelector: matchAll,
    });
    expect(about(document({ podSelector: {} }))).toMatchObject({ podSelector: matchAll });
  });

  test("a namespaced one all of its namespace", () => {
    expect(about(namespaced({}))).toEqual({
      namespace: "shop",
      podSelector: matchAll,
      containerSelector: matchAll,
      hostSelector: false,
    });
  });

  test("the host alone is no pod", () => {
    const definition = about(document({ hostSelector: {} }));
    if (definition === undefined) throw new Error("no filter");
    const state = createFilterState();
    const pod = { uid: "u", namespace: "shop", labels: new Map() };
    state.putContainer({ containerId: "c", cgroupIds: [5n], pod, name: "app", repo: "" });
    state.putPolicy(2, definition);
    expect(state.find(2)).toEqual(new Set([HOST_MARKER]));
  });
});

test("the mode is the policy's own, and only what can enforce does", () => {
  const kill = selector({ matchActions: [{ action: "Sigkill" }] });
  expect(findMode(parse(document(kill)))).toBe("enforce");
  expect(findMode(parse(document(kprobe())))).toBe("monitor_only");
  const options = [{ name: "policy-mode", value: "monitor" }];
  expect(findMode(parse(document({ ...kill, options })))).toBe("monitor");
});
