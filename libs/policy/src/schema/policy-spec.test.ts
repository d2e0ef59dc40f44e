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
const kprobe = (fields: object): object => ({ kprobes: [{ call: "sys_open", ...fields }] });
const select = (...selectors: readonly object[]): object => kprobe({ selectors });
const times = (count: number, value: unknown): readonly unknown[] =>
  Array.from({ length: count }, () => value);

type Rows = readonly (readonly [string, unknown, readonly string[]])[];

const hooks: Rows = [
  ["a spec that is a list", [], ["spec: must be an object, not a list"]],
  ["a list that is an object", { kprobes: {} }, ["spec.kprobes: must be a list, not an object"]],
  ["a slip", { kprobe: [] }, ["spec.kprobe: unknown field; did you mean kprobes?"]],
  ["nothing in a list", { kprobes: [null] }, ["spec.kprobes[0]: must be an object, not null"]],
  ["no call", { kprobes: [{}] }, ["spec.kprobes[0].call: is required"]],
  ["an empty call", { fentries: [{ call: "" }] }, ["spec.fentries[0].call: must not be empty"]],
  [
    "a text for a switch",
    kprobe({ syscall: "false" }),
    ['spec.kprobes[0].syscall: must be true or false, not "false"'],
  ],
  [
    "a return value that nobody describes",
    { kprobes: [{ call: "a", return: true }], fentries: [{ call: "a", return: true }] },
    [
      "spec.kprobes[0].returnArg: is required with return: true",
      "spec.fentries[0].returnArg: is required with return: true",
    ],
  ],
  [
    "an action for return values that is none",
    kprobe({ returnArgAction: "Post" }),
    ['spec.kprobes[0].returnArgAction: must be TrackSock or UntrackSock, not "Post"'],
  ],
  [
    "a wrong argument",
    kprobe({ args: [{ type: "int", index: -1 }, { index: 1.5 }, { index: 2 ** 31 }] }),
    [
      "spec.kprobes[0].args[0].index: must be a whole number from 0 to 2147483647, not the number -1",
      "spec.kprobes[0].args[1].index: must be a whole number from 0 to 2147483647, not the number 1.5",
      "spec.kprobes[0].args[2].index: must be a whole number from 0 to 2147483647, not the number 2147483648",
    ],
  ],
  [
    "more arguments than an event holds",
    kprobe({ args: times(3, { index: 0 }), data: times(3, { index: 0 }) }),
    ["spec.kprobes[0].args: must have at most 5 entries, those of data included, not 6"],
  ],
  [
    "a message of one letter",
    kprobe({ message: "a" }),
    ["spec.kprobes[0].message: must have at least 2 bytes"],
  ],
  [
    "many tags",
    { lsmhooks: [{ hook: "file_open", tags: times(17, "t") }] },
    ["spec.lsmhooks[0].tags: must have at most 16 entries, not 17"],
  ],
  [
    "six selectors",
    select(...times(6, {}).map(Object)),
    ["spec.kprobes[0].selectors: must have at most 5 entries, not 6"],
  ],
  [
    "half a tracepoint",
    { tracepoints: [{ subsystem: "sched" }] },
    ["spec.tracepoints[0].event: is required"],
  ],
  [
    "half a usdt",
    { usdts: [{ path: "/bin/a" }] },
    ["spec.usdts[0].provider: is required", "spec.usdts[0].name: is required"],
  ],
  [
    "a uprobe in three places",
    { uprobes: [{ path: "/bin/a", symbols: ["main"], offsets: [1], addrs: [2] }] },
    [
      "spec.uprobes[0].offsets: only one of symbols, offsets, addrs may be set, and symbols is",
      "spec.uprobes[0].addrs: only one of symbols, offsets, addrs may be set, and symbols is",
    ],
  ],
  [
    "what an LSM hook cannot do",
    {
      lsmhooks: [
        {
          hook: "file_open",
          selectors: [
            {
              matchReturnArgs: [{ operator: "Equal", values: ["0"] }],
              matchActions: [{ action: "GetUrl" }, { action: "Post", kernelStackTrace: true }],
            },
          ],
        },
      ],
    },
    [
      "spec.lsmhooks[0].selectors[0].matchReturnArgs: LSM hooks have no return value to match",
      "spec.lsmhooks[0].selectors[0].matchActions[0].action: " +
        "must be Post, NoPost, Sigkill, Signal or Override in an LSM hook, not GetUrl",
      "spec.lsmhooks[0].selectors[0].matchActions[1].kernelStackTrace: LSM hooks have no stack traces",
    ],
  ],
  [
    "an override where the kernel has none",
    {
      kprobes: [
        { call: "fd_install", syscall: false, selectors: [{ matchActions: [{ action: "Override" }] }] },
      ],
    },
    [
      "spec.kprobes[0].selectors[0].matchActions[0].action: " +
        'Override works on system calls and on security_ functions, not on "fd_install"',
    ],
  ],
];

const at = "spec.kprobes[0].selectors[0]";
const selectors: Rows = [
  [
    "a filter that is none",
    select({ matchArg: [] }),
    [`${at}.matchArg: unknown field; did you mean matchArgs?`],
  ],
  [
    "an operator in the wrong case",
    select({ matchBinaries: [{ operator: "in", values: [] }] }),
    [
      `${at}.matchBinaries[0].operator: must be In, NotIn, Prefix, NotPrefix, Postfix or NotPostfix, not "in"; ` +
        "did you mean In?",
    ],
  ],
  [
    "a number among texts",
    select({ matchArgs: [{ index: 0, operator: "Equal", values: [2] }] }),
    [`${at}.matchArgs[0].values[0]: must be a string, not the number 2; write "2"`],
  ],
  [
    "a second selector",
    select({}, { matchArgs: [{ index: 0, values: ["a"] }] }),
    ["spec.kprobes[0].selectors[1].matchArgs[0].operator: is required"],
  ],
  [
    "too many filters",
    select({ matchArgs: times(3, { operator: "Equal" }), matchData: times(3, { operator: "Equal" }) }),
    [`${at}.matchArgs: matchArgs and matchData may have 5 entries together, not 6`],
  ],
  [
    "two matchBinaries",
    select({
      matchBinaries: times(2, { operator: "In", values: [] }),
      matchParentBinaries: times(2, { operator: "In", values: [] }),
    }),
    [
      `${at}.matchBinaries: must have at most 1 entry, not 2`,
      `${at}.matchParentBinaries: must have at most 1 entry, not 2`,
    ],
  ],
  [
    "children of a prefix",
    select({ matchBinaries: [{ operator: "Prefix", followChildren: true, values: ["/bin"] }] }),
    [`${at}.matchBinaries[0].followChildren: works with the operators In and NotIn, not with Prefix`],
  ],
  [
    "a process id as text",
    select({ matchPIDs: [{ operator: "In", values: ["1"] }] }),
    [`${at}.matchPIDs[0].values[0]: must be a whole number from 0 to 2147483647, not "1"`],
  ],
  [
    "five values of a namespace",
    select({ matchNamespaces: [{ namespace: "Pid", operator: "In", values: times(5, "host_ns") }] }),
    [`${at}.matchNamespaces[0].values: must have at most 4 entries, not 5`],
  ],
  [
    "wrong namespaces",
    select({ matchNamespaces: [{ namespace: "pid", operator: "In", values: ["host"] }] }),
    [
      `${at}.matchNamespaces[0].namespace: must be Uts, Ipc, Mnt, Pid, PidForChildren, Net, Time, TimeForChildren, ` +
        'Cgroup or User, not "pid"; did you mean Pid?',
      `${at}.matchNamespaces[0].values[0]: must be the number of a namespace, or host_ns, not "host"`,
    ],
  ],
  [
    "two changes of namespaces",
    select({ matchNamespaceChanges: times(2, { operator: "In", values: ["Mnt"] }) }),
    [`${at}.matchNamespaceChanges: must have at most 1 entry, not 2`],
  ],
  [
    "a set of capabilities that is none",
    select({ matchCapabilities: [{ type: "Ambient", operator: "In", values: ["CAP_CHOWN"] }] }),
    [`${at}.matchCapabilities[0].type: must be Effective, Inheritable or Permitted, not "Ambient"`],
  ],
  [
    "capabilities gained by one argument",
    select({ matchArgs: [{ args: [0], operator: "CapabilitiesGained" }] }),
    [`${at}.matchArgs[0].args: must name 2 arguments with CapabilitiesGained, not 1`],
  ],
  [
    "four actions",
    select({ matchActions: times(4, { action: "Post" }) }),
    [`${at}.matchActions: must have at most 3 entries, not 4`],
  ],
  [
    "an action that is none",
    select({ matchActions: [{ action: "SigKill" }] }),
    [
      `${at}.matchActions[0].action: must be Post, NoPost, Sigkill, Signal, Override, GetUrl, DnsLookup, TrackSock, ` +
        'UntrackSock, NotifyEnforcer, CleanupEnforcerNotification or Set, not "SigKill"; did you mean Sigkill?',
    ],
  ],
  [
    "a limit without events",
    select({ matchActions: [{ action: "Sigkill", rateLimit: "5m", userStackTrace: true }] }),
    [
      `${at}.matchActions[0].rateLimit: is allowed with the action Post only, not with Sigkill`,
      `${at}.matchActions[0].userStackTrace: is allowed with the action Post only, not with Sigkill`,
    ],
  ],
  [
    "a limit in days",
    select({ matchActions: [{ action: "Post", rateLimit: "5d", rateLimitScope: "cpu" }] }),
    [
      `${at}.matchActions[0].rateLimit: must be a number of seconds, or a number with s, m or h like "5m", not "5d"`,
      `${at}.matchActions[0].rateLimitScope: must be thread, process or global, not "cpu"`,
    ],
  ],
  [
    "two new targets",
    select({ matchActions: [{ action: "Override", argNewSymbol: "a", argNewOffset: 1 }] }),
    [
      `${at}.matchActions[0].argNewOffset: only one of argNewSymbol, argNewAddr, argNewOffset may be set, ` +
        "and argNewSymbol is",
    ],
  ],
  [
    "a host by labels",
    select({ matchWorkloads: { hostSelector: { matchLabels: {} } } }),
    [`${at}.matchWorkloads.hostSelector.matchLabels: unknown field; hostSelector is null or {}`],
  ],
];

describe("hooks are refused for", () => {
  test.each(hooks)("%s", (_name, spec, problems) => {
    expect(problemsOf(spec)).toEqual(problems);
  });
});

describe("selectors are refused for", () => {
  test.each(selectors)("%s", (_name, spec, problems) => {
    expect(problemsOf(spec)).toEqual(problems);
  });
});

const filterOf = (type: string, operator: string, byPlace: boolean): object =>
  kprobe({
    args: [{ index: 3, type }],
    selectors: [
      {
        matchArgs: [
          { ...(byPlace ? { args: [0] } : { index: 3 }), operator, values: ["1", "2", "3", "4", "5"] },
        ],
      },
    ],
  });

test("numbers have room for four values, other types and maps for more", () => {
  const path = `${at}.matchArgs[0].values`;
  const many = "must have at most 4 entries for an argument of type int, not 5";
  const instead = "; InMap and NotInMap take more";
  expect(problemsOf(filterOf("int", "Equal", false))).toEqual([`${path}: ${many}${instead}`]);
  expect(problemsOf(filterOf("int", "Mask", true))).toEqual([`${path}: ${many}`]);
  expect(problemsOf(filterOf("int", "InMap", false))).toEqual([]);
  expect(problemsOf(filterOf("string", "Equal", false))).toEqual([]);
  expect(problemsOf(filterOf("auto", "Equal", false))).toEqual([]);
});

test("a type of argument that is none is refused with the nearest ones", () => {
  const [problem, ...others] = problemsOf(kprobe({ args: [{ index: 0, type: "strin" }] }));
  expect(problem).toMatch(
    /^spec\.kprobes\[0\]\.args\[0\]\.type: must be auto, int, .*, not "strin"; did you mean string\?$/,
  );
  expect(others).toEqual([]);
});

test("defaults are in place", () => {
  const parsed = parse({
    kprobes: [{ call: "sys_open", args: [{ index: 0 }] }],
    uprobes: [{ path: "/bin/a" }],
  });
  expect(parsed).toMatchObject({
    ok: true,
    value: {
      spec: {
        kprobes: [
          {
            syscall: true,
            return: false,
            returnArg: undefined,
            args: [{ index: 0, type: "auto", resolve: "", returnCopy: false, maxData: false }],
            data: [],
            selectors: [],
            message: "",
            tags: [],
          },
        ],
        uprobes: [{ symbols: [], return: false }],
        loader: false,
        lists: [],
        options: [],
        selectorsMacros: new Map(),
      },
    },
  });
});

test("an override is for system calls by name or switch, for security_ functions and for lists", () => {
  const selector = { matchActions: [{ action: "Override", argError: -1 }] };
  for (const call of ["security_file_open", "sys_open", "__x64_sys_open", "list:calls"]) {
    const kprobes = [{ call, syscall: false, selectors: [selector] }];
    expect(
      problemsOf({ kprobes, lists: [{ name: "calls", type: "syscalls", values: ["sys_open"] }] }),
    ).toEqual([]);
  }
  expect(problemsOf({ kprobes: [{ call: "anything", selectors: [selector] }] })).toEqual([]);
});
