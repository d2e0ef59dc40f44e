// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import {
  act,
  butPaths,
  convert,
  exec,
  filter,
  ofPaths,
  select,
  sh,
  socket,
  summarize,
  tcp,
  usr,
} from "./written-policy.fixture.ts";

describe("the first selector that matches decides", () => {
  const kill = act("Sigkill");
  const pass = act("NoPost");
  const web = { matchWorkloads: { podSelector: { matchLabels: { app: "web" } } } };
  const needsOrder = (selector: number, hook = "lsmhooks[0]") =>
    `${hook}.selectors[${selector}]: matchArgs needs an order between rules, since an earlier selector may match the same event`;
  test.each([
    [
      "the rest after an exception",
      exec({ ...select(filter("Equal", "/bin/sh")), ...pass }, kill),
      [ofPaths(sh), butPaths(sh)],
    ],
    [
      "the rest of the same containers",
      exec({ ...select(filter("Equal", "/bin/sh")), ...pass, ...web }, { ...kill, ...web }),
      [ofPaths(sh), butPaths(sh)],
    ],
    [
      "others than the exception's containers",
      exec({ ...select(filter("Equal", "/bin/sh")), ...pass, ...web }, kill),
      [ofPaths(sh), needsOrder(1)],
    ],
    [
      "apart",
      exec(
        { ...select(filter("Equal", "/bin/sh")), ...pass, ...web },
        { ...select(filter("Prefix", "/usr/")), ...kill },
      ),
      [ofPaths(sh), ofPaths(usr)],
    ],
    [
      "within the prefix",
      exec(
        { ...select(filter("Equal", "/usr/ls")), ...pass },
        { ...select(filter("Prefix", "/usr/")), ...kill },
      ),
      [ofPaths({ path: "/usr/ls", match: "exact" }), needsOrder(1)],
    ],
    [
      "the same effect",
      exec(
        { ...select(filter("Equal", "/usr/ls")), ...act("Override", { argError: -1 }) },
        { ...select(filter("Prefix", "/usr/")), ...kill },
      ),
      [ofPaths({ path: "/usr/ls", match: "exact" }), ofPaths(usr)],
    ],
    ["nothing left", exec(pass, kill), [butPaths(), "never_matches"]],
    [
      "one that cannot match takes nothing",
      exec({ ...select(filter("Equal", "/bin/sh"), filter("Equal", "/bin/ls")), ...pass }, kill),
      ["never_matches", butPaths()],
    ],
    [
      "another port",
      tcp({ ...select(filter("DPort", "53")), ...pass }, { ...select(filter("DPort", "80")), ...kill }),
      [expect.anything(), expect.objectContaining({ ports: [80], isNegated: true, addresses: [] })],
    ],
    [
      "a port of all",
      tcp({ ...select(filter("DPort", "53")), ...pass }, kill),
      [expect.anything(), needsOrder(1, "kprobes[0]")],
    ],
    [
      "stream before all",
      socket({ ...select(filter("Protocol", "6")), ...pass }, kill),
      [expect.anything(), needsOrder(1, "kprobes[0]")],
    ],
    [
      "addresses of fewer ports",
      tcp(
        { ...select(filter("DAddr", "10.0.0.0/8")), ...pass },
        { ...select(filter("DPort", "80")), ...kill },
      ),
      [
        expect.anything(),
        expect.objectContaining({ ports: [80], isNegated: true, addresses: ["10.0.0.0/8"] }),
      ],
    ],
  ])("%s", (_, spec, expected) => {
    expect(convert(spec).map(summarize)).toEqual(expected);
  });

  test("of each hook by itself", () => {
    const { lsmhooks } = exec(pass);
    const spec = { lsmhooks: [...lsmhooks, ...exec(kill).lsmhooks] };
    expect(convert(spec).map(summarize)).toEqual([butPaths(), butPaths()]);
  });
});
