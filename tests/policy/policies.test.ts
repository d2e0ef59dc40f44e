// SPDX-License-Identifier: Apache-2.0
// What realistic policies come to.
import { expect, test } from "bun:test";
import {
  listMatchWorkloads,
  parseTracingPolicy,
  policyMode,
  renderProblem,
  selectsEverything,
  toFilter,
} from "@rthooks/policy";
import { policyFiles } from "./policy-files.ts";

interface Summary {
  readonly mode: string;
  /** "none", or what is about what: * for all. */
  readonly filter: string;
  readonly hooks: string;
  readonly workloads?: number;
}

const expected: Readonly<Record<string, Summary>> = {
  "capable-processes": { mode: "enforce", filter: "pods * containers", hooks: "kprobes 1" },
  "egress-of-jobs": { mode: "monitor", filter: "batch: pods * containers", hooks: "kprobes 1", workloads: 1 },
  "enforce-by-list": { mode: "enforce", filter: "none", hooks: "tracepoints 1" },
  "gained-capabilities": { mode: "monitor_only", filter: "none", hooks: "kprobes 1" },
  "generated-lists": { mode: "monitor_only", filter: "pods * containers *", hooks: "kprobes 2" },
  "guarded-files": { mode: "enforce", filter: "pods * containers *", hooks: "kprobes 1 lsmhooks 2" },
  "host-modules": { mode: "monitor_only", filter: "host", hooks: "kprobes 2" },
  "kernel-functions": { mode: "enforce", filter: "none", hooks: "kprobes 2 fentries 1" },
  lookups: { mode: "monitor_only", filter: "traps: pods containers *", hooks: "kprobes 1" },
  "no-shell-in-pods": { mode: "enforce", filter: "pods containers *", hooks: "lsmhooks 1" },
  "open-ports": { mode: "enforce", filter: "pods containers *", hooks: "kprobes 2" },
  "raw-tracepoint": { mode: "monitor_only", filter: "pods * containers", hooks: "tracepoints 1" },
  "runtime-probes": { mode: "enforce", filter: "none", hooks: "usdts 1" },
  "shared-macros": { mode: "enforce", filter: "build: pods * containers *", hooks: "kprobes 2" },
  "shell-lines": { mode: "monitor_only", filter: "none", hooks: "uprobes 2" },
  "track-sockets": { mode: "monitor_only", filter: "none", hooks: "kprobes 2 fentries 1" },
  "unwanted-calls": { mode: "enforce", filter: "pods containers *", hooks: "kprobes 2 tracepoints 1" },
  "watch-secrets": { mode: "monitor_only", filter: "shop: pods containers *", hooks: "kprobes 1" },
  "written-bytes": { mode: "enforce", filter: "shop: pods * containers *", hooks: "kprobes 2 tracepoints 1" },
};

const kinds = ["kprobes", "fentries", "tracepoints", "lsmhooks", "uprobes", "usdts"] as const; // const: keys of a spec

test("every file is judged", () => {
  expect(policyFiles.map(({ name }) => name)).toEqual(Object.keys(expected).toSorted());
});

for (const { name, document } of policyFiles) {
  test(name, () => {
    const parsed = parseTracingPolicy(document);
    expect(parsed.ok ? [] : parsed.error.map(renderProblem)).toEqual([]);
    if (!parsed.ok) return;
    const policy = parsed.value;
    expect(policy.warnings).toEqual([]);
    expect(policy.name).toBe(name);
    const workloads = listMatchWorkloads(policy).length;
    expect<unknown>({
      mode: policyMode(policy),
      filter: summarise(toFilter(policy)),
      hooks: kinds
        .flatMap((kind) => (policy.spec[kind].length > 0 ? [`${kind} ${policy.spec[kind].length}`] : []))
        .join(" "),
      ...(workloads === 0 ? {} : { workloads }),
    }).toEqual(expected[name]);
  });
}

function summarise(filter: ReturnType<typeof toFilter>): string {
  if (filter === undefined) return "none";
  const { namespace, podSelector, containerSelector, hostSelector } = filter;
  const words = namespace === undefined ? [] : [`${namespace}:`];
  for (const [name, selector] of Object.entries({ pods: podSelector, containers: containerSelector })) {
    if (selector !== undefined) words.push(selectsEverything(selector) ? `${name} *` : name);
  }
  if (hostSelector) words.push("host");
  return words.join(" ");
}
