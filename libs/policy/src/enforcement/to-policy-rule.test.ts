// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import {
  act,
  call,
  convert,
  exact,
  exec,
  filter,
  filtersOf,
  numbers,
  select,
  socket,
  syscall,
  tcp,
  toRule,
} from "./written-policy.fixture.ts";

describe("the process", () => {
  const pids = (more: object) => exec({ matchPIDs: [{ operator: "In", values: [1, 2, 1], ...more }] });
  const binaries = (operator: string, value = "/bin/sh") =>
    exec({ matchBinaries: [{ operator, values: [value] }] });
  test.each([
    ["pid", pids({}), numbers("pid", 1n, 2n)],
    [
      "other pids of its namespace",
      pids({ operator: "NotIn", isNamespacePID: true }),
      { numbers: [{ facet: "namespacePid", values: [1n, 2n], isNegated: true }] },
    ],
    ["binary", binaries("In"), exact("binary", "/bin/sh")],
    ["no binary at all", exec({ matchBinaries: [{ operator: "In", values: [] }] }), {}],
    ...(["Prefix", "Postfix"] as const).flatMap((name) => {
      const match = name.toLowerCase();
      const texts = (isNegated: boolean) => ({
        texts: [{ facet: "binary", match, isNegated, values: ["/bin/sh"] }],
      });
      return [
        [name, binaries(name), texts(false)],
        [`Not${name}`, binaries(`Not${name}`), texts(true)],
      ] as const; // const: rows
    }),
    [
      "of a macro",
      {
        ...exec({ macros: ["a"] }),
        selectorsMacros: { a: { matchPIDs: [{ operator: "In", values: [7] }] } },
      },
      numbers("pid", 7n),
    ],
  ] as const)("%s", (_, spec, expected) => {
    expect<unknown>(filtersOf(spec)).toEqual(expected);
  });
});

describe("the containers", () => {
  const containers = (spec: object, namespace?: string) => {
    const [outcome] = convert(spec, namespace);
    if (outcome?.kind !== "rule") throw new Error(JSON.stringify(outcome));
    const { filters, includesHost } = outcome.rule;
    return {
      filters: filters.map(({ namespace, podSelector }) => [
        namespace,
        ...(podSelector?.matchLabels.values() ?? []),
      ]),
      includesHost,
    };
  };
  const pods = (app: string) => ({ podSelector: { matchLabels: { app } } });
  test.each([
    ["of every process", exec({}), undefined, { filters: [], includesHost: true }],
    [
      "of the policy",
      { ...exec({}), ...pods("web") },
      undefined,
      { filters: [[undefined, "web"]], includesHost: false },
    ],
    ["of a namespace", exec({}), "shop", { filters: [["shop"]], includesHost: false }],
    [
      "of the selector",
      exec({ matchWorkloads: pods("web") }),
      undefined,
      { filters: [[undefined, "web"]], includesHost: false },
    ],
    [
      "of both",
      { ...exec({ matchWorkloads: pods("db") }), ...pods("web") },
      "shop",
      {
        filters: [
          ["shop", "web"],
          [undefined, "db"],
        ],
        includesHost: false,
      },
    ],
    [
      "of pods and host",
      { ...exec({ matchWorkloads: { hostSelector: {} } }), ...pods("web"), hostSelector: {} },
      undefined,
      { filters: [[undefined, "web"], [undefined]], includesHost: true },
    ],
  ])("%s", (_, spec, namespace, expected) => {
    expect(containers(spec, namespace)).toEqual(expected);
  });
});

describe("an event says of the rule", () => {
  test("what the policy has", () => {
    const spec = {
      kprobes: [
        {
          ...{ call: "security_file_permission", syscall: false, message: "reads", tags: ["a", "b"] },
          args: [
            { index: 0, type: "file", label: "which" },
            { index: 1, type: "bpf_map" },
            { index: 2, type: "int" },
          ],
          selectors: [{}, { label: "second" }],
        },
      ],
    };
    const [, outcome] = convert(spec, "shop");
    expect(outcome).toMatchObject({ kind: "rule", selector: "kprobes[0].selectors[1]" });
    expect<unknown>(outcome?.kind === "rule" && outcome.rule.report).toEqual({
      ...{ policyName: "a", policyNamespace: "shop", event: "kprobe", hook: "security_file_permission" },
      ...{ hookIndex: 0, selectorIndex: 1, selectorLabel: "second", message: "reads", tags: ["a", "b"] },
      args: [
        { facet: "arg0", type: "file", label: "which" },
        { facet: "arg2", type: "int", label: "" },
      ],
    });
  });

  test.each([
    ["a system call", syscall("sys_mkdir", []), "kprobe", "__x64_sys_mkdir"],
    ["an LSM hook", exec(), "lsm", "bprm_check_security"],
    ["a tracepoint", { tracepoints: [{ subsystem: "a", event: "b" }] }, "tracepoint", "a/b"],
    ["a connection", tcp(), "kprobe", "tcp_connect"],
  ] as const)("its name: %s", (_, spec, event, hook) => {
    expect(toRule(spec).report).toMatchObject({ event, hook });
  });

  test("of a socket, one word for all of its facets", () => {
    const { args } = toRule(socket()).report;
    expect(args.map(({ facet, type }) => [facet, type])).toEqual([
      ["socket", "socket"],
      ["socket", "sockaddr"],
    ]);
  });
});

test("a rule that is wider or narrower than the policy's words says so", () => {
  const notes = (spec: object) => toRule(spec).notes;
  expect(notes(exec({}))).toEqual([]);
  expect(notes({ kprobes: [{ call: "sys_execve" }] })).toEqual([expect.stringContaining("links")]);
  expect(notes(syscall("sys_mkdir", []))).toEqual([]);
  expect(notes(call("tty_write", ["kiocb", "nop"]))).toEqual(["events do not have argument 0 (kiocb)"]);
  const returns = { call: "sys_execve", return: true, returnArg: { index: 0, type: "int" } };
  expect(notes({ kprobes: [returns] }).at(-1)).toBe("events do not have the return value");
  expect(notes(exec(act("Post", { imaHash: true, rateLimit: "1" })))).toEqual([
    "events do not have hashes of IMA",
  ]);
  expect(notes(exec(select(filter("Prefix", "/etc/", ".bashrc"))))).toEqual([
    '".bashrc" is not an absolute path: it never matches',
  ]);
});

test("a hook that the kernel need not have is marked", () => {
  const ignore = { callNotFound: true };
  const written = { call: "find_module_sections", syscall: false };
  expect(toRule({ kprobes: [{ ...written, ignore }] }).mayBeMissing).toBe(true);
  expect(toRule({ kprobes: [written] }).mayBeMissing).toBe(false);
});
