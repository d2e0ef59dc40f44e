// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { readHookRejection } from "./hook-rejection.ts";
import { createMemoryFiles } from "./memory-files.fixture.ts";

const MAIN = "/etc/containerd/config.toml";
const DROP_IN = "/etc/containerd/conf.d/validator.toml";
const VALIDATOR = `[plugins."io.containerd.nri.v1.nri".default_validator]`;
const rejecting = `${VALIDATOR}\nenable = true\nreject_oci_hook_adjustment = true\n`;

const read = (texts: Readonly<Record<string, string>>, release = "2.2.0") =>
  readHookRejection(createMemoryFiles(texts), MAIN, release);

describe("the deciding files", () => {
  test.each([
    { name: "version 2", text: `version = 2\n${rejecting}`, decidedIn: [MAIN] },
    { name: "version 3", text: `version = 3\n${rejecting}`, decidedIn: [MAIN] },
    {
      name: "a disabled validator",
      text: `version = 3\n${rejecting.replace("enable = true", "enable = false")}`,
      decidedIn: [],
    },
    {
      name: "a validator with other settings",
      text: `version = 3\n${VALIDATOR}\nenable = true\nrequired_plugins = ["tetragon"]`,
      decidedIn: [],
    },
    { name: "no table", text: "version = 3", decidedIn: [] },
  ])("$name", ({ text, decidedIn }) => {
    expect(read({ [MAIN]: text })).toEqual({ decidedIn, problems: [] });
  });

  test("an import decides on the keys that it has", () => {
    const main = `version = 3\nimports = ["/etc/containerd/conf.d/*.toml"]\n`;
    const hooks = `${VALIDATOR}\nreject_oci_hook_adjustment`;
    expect(read({ [MAIN]: main, [DROP_IN]: `version = 3\n${rejecting}` }).decidedIn).toEqual([DROP_IN]);
    expect(
      read({
        [MAIN]: `${main}${VALIDATOR}\nenable = true`,
        [DROP_IN]: `version = 3\n${hooks} = true`,
      }).decidedIn,
    ).toEqual([MAIN, DROP_IN]);
    expect(
      read({ [MAIN]: `${main}${rejecting}`, [DROP_IN]: `version = 3\n${hooks} = false` }).decidedIn,
    ).toEqual([]);
  });

  test.each([
    ["1.7.24", []],
    ["2.1.9", []],
    ["2.2.0", [MAIN]],
    ["v2.3.4", [MAIN]],
    ["unknown", [MAIN]],
  ])("of containerd %s, which may be older than the validator", (release, decidedIn) => {
    expect(read({ [MAIN]: `version = 2\n${rejecting}` }, release).decidedIn).toEqual(decidedIn);
  });
});

test("an unreadable file is a problem, and rejects nothing", () => {
  expect(read({})).toEqual({ decidedIn: [], problems: [`${MAIN}: does not exist`] });
  const { decidedIn, problems } = read({ [MAIN]: "version = " });
  expect([decidedIn, problems.length]).toEqual([[], 1]);
});
