// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { renderProblem } from "./policy-problem.ts";
import { parseTracingPolicy } from "./tracing-policy.ts";

const parse = (spec: unknown) =>
  parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "a" },
    spec,
  });
const problemsOf = (spec: unknown): readonly string[] => {
  const parsed = parse(spec);
  return parsed.ok ? [] : parsed.error.map(renderProblem);
};
const select = (selector: object): object => ({ kprobes: [{ call: "sys_open", selectors: [selector] }] });
const lists = [{ name: "calls", type: "syscalls", values: ["sys_dup"] }];
const inMap = (name: string): object => ({
  matchArgs: [{ index: 0, operator: "InMap", values: ["1", name] }],
});

const rows: readonly (readonly [string, object, readonly string[]])[] = [
  [
    "a call of a list that is not there",
    { kprobes: [{ call: "list:call" }], lists },
    ['spec.kprobes[0].call: spec.lists has no list "call"; did you mean "calls"?'],
  ],
  [
    "a value of a list that is not there",
    select(inMap("list:calls")),
    ['spec.kprobes[0].selectors[0].matchArgs[0].values[1]: spec.lists has no list "calls"'],
  ],
  [
    "an enforcer of a list that is not there",
    { enforcers: [{ calls: ["sys_open", "list:b"] }] },
    ['spec.enforcers[0].calls[1]: spec.lists has no list "b"'],
  ],
  [
    "a list in a macro",
    { selectorsMacros: { "a.b": inMap("list:x") } },
    ['spec.selectorsMacros["a.b"].matchArgs[0].values[1]: spec.lists has no list "x"'],
  ],
  [
    "two enforcers",
    { enforcers: [{ calls: ["sys_open"] }, { calls: ["sys_dup"] }] },
    ["spec.enforcers: must have at most 1 entry, not 2"],
  ],
  [
    "a notification without enforcers",
    select({ matchActions: [{ action: "Post" }, { action: "NotifyEnforcer", argError: -1 }] }),
    ["spec.kprobes[0].selectors[0].matchActions[1].action: NotifyEnforcer needs spec.enforcers"],
  ],
  [
    "a macro that is not there",
    { ...select({ macros: ["shels"] }), selectorsMacros: { shells: {} } },
    [
      'spec.kprobes[0].selectors[0].macros[0]: spec.selectorsMacros has no macro "shels"; did you mean "shells"?',
    ],
  ],
  [
    "a macro of macros",
    { selectorsMacros: { a: {}, b: { macros: ["a"] } } },
    ["spec.selectorsMacros.b.macros: must be left out: a macro cannot use macros"],
  ],
  [
    "a generated list with values",
    { lists: [{ name: "a", type: "generated_syscalls", values: ["sys_dup"] }] },
    ["spec.lists[0].values: must be left out: generated_syscalls fills the list"],
  ],
  [
    "a generated list without pattern",
    { lists: [{ name: "a", type: "generated_ftrace" }] },
    ["spec.lists[0].pattern: is required with type generated_ftrace"],
  ],
  [
    "a list of a type that is none",
    { lists: [{ name: "a", type: "syscall" }] },
    [
      'spec.lists[0].type: must be syscalls, generated_syscalls or generated_ftrace, not "syscall"; ' +
        "did you mean syscalls?",
    ],
  ],
  [
    "children followed too often",
    {
      kprobes: Array.from({ length: 13 }, () => ({
        call: "sys_open",
        selectors: Array.from({ length: 5 }, () => ({
          matchBinaries: [{ operator: "In", values: ["/bin/sh"], followChildren: true }],
        })),
      })),
    },
    ["spec: followChildren may be used at most 64 times, not 65"],
  ],
];

describe("a spec is refused for", () => {
  test.each(rows)("%s", (_name, spec, problems) => {
    expect(problemsOf(spec)).toEqual(problems);
  });
});

test("what is named is found", () => {
  const spec = {
    kprobes: [
      { call: "list:calls", selectors: [{ ...inMap("list:calls"), macros: ["shells"] }] },
      {
        call: "sys_open",
        selectors: [{ matchArgs: [{ index: 0, operator: "Equal", values: ["list:none"] }] }],
      },
    ],
    enforcers: [{ calls: ["list:calls"] }],
    lists,
    selectorsMacros: { shells: { matchBinaries: [{ operator: "In", values: ["/bin/sh"] }] } },
  };
  expect(problemsOf(spec)).toEqual([]);
});

test("a hundred thousand names that are nowhere cost no more than twenty", () => {
  const kprobes = Array.from({ length: 20_000 }, () => ({
    call: "list:name",
    selectors: Array.from({ length: 4 }, () => ({ macros: ["macro"] })),
  }));
  const lists = Array.from({ length: 1_000 }, (_, index) => ({ name: `list${index}` }));
  const selectorsMacros = Object.fromEntries(lists.map(({ name }) => [name, {}]));
  expect(problemsOf({ kprobes, lists, selectorsMacros })).toHaveLength(20);
});
