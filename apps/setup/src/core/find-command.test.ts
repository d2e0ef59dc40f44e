// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { defineCommand } from "./command.ts";
import { findCandidates, findCommand } from "./find-command.ts";
import { parseHookCommand } from "./hook-command.ts";

const commands = ["install", "patch nri", "patch hook"].map((name) =>
  defineCommand({ name, summary: "", flags: {}, run: async () => 0 }),
);

test("finds a command by all words of its name, and returns the other words", () => {
  expect(findCommand(commands, ["patch", "hook", "--x"])).toMatchObject({
    command: { name: "patch hook" },
    argv: ["--x"],
  });
  for (const argv of [[], ["patch"], ["hook"], ["instal"], ["--x", "install"]])
    expect(findCommand(commands, argv)).toBeUndefined();
});

test("the candidates are the commands of a group, else all commands", () => {
  expect(findCandidates(commands, "patch").map(({ name }) => name)).toEqual(["patch nri", "patch hook"]);
  expect(findCandidates(commands, "pat")).toBe(commands);
  expect(findCandidates(commands, undefined)).toBe(commands);
});

test("the program of a hook entry is the program that its loader runs", () => {
  const args = ["ld.so", "--library-path", "/opt/lib", "/opt/hook", "createRuntime", "--grpc-timeout", "5s"];
  expect(parseHookCommand({ path: "/opt/ld.so", args })).toEqual({
    path: "/opt/ld.so",
    program: "/opt/hook",
    args: ["--grpc-timeout", "5s"],
  });
  expect(parseHookCommand({ path: "/opt/hook", args: ["hook", "createRuntime"] })).toMatchObject({
    program: "/opt/hook",
    args: [],
  });
  expect(parseHookCommand({ path: "/opt/hook" })).toMatchObject({ program: "/opt/hook", args: [] });
  for (const none of [undefined, null, [], "x", {}, { path: 1 }])
    expect(parseHookCommand(none)).toBeUndefined();
});
