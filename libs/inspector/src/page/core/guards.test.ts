// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { pageFiles } from "../../edge/page-files.ts";
import { findGuards, type MachineDescription } from "./guards.ts";

/** As the page gets it: from the machines' code, by way of docs/machines. */
const read = (id: string): MachineDescription =>
  JSON.parse(pageFiles.get(`/machines/${id}.json`)?.text ?? "");

describe("the guards of", () => {
  test.each([
    ["a guarded transition", "container", "cgroup.found", "identified", "placed", ["isForCurrentPath"]],
    [
      "one of two guarded transitions",
      "container",
      "cgroup.refused",
      "identified",
      "gone",
      ["isMissingListedContainer"],
    ],
    ["a transition without a guard", "container", "filter.added", "placed", "registered", []],
    [
      "what is left where a guard refused",
      "container",
      "container.reported",
      "released",
      "verifying",
      ["not isRepeatedReport"],
    ],
    [
      "an event that leads nowhere",
      "container",
      "container.reported",
      "released",
      "released",
      ["isRepeatedReport"],
    ],
    ["a transition of the machine", "container", "cgroup.vanished", "placed", "gone", []],
    [
      "a first state with a transition by itself",
      "container",
      "xstate.init",
      "",
      "identified",
      ["hasIdentity"],
    ],
    ["the first state", "container", "xstate.init", "", "seen", []],
    [
      "a transition that takes time",
      "container",
      "xstate.after.failureRetention.container.failed",
      "failed",
      "gone",
      [],
    ],
    [
      "a transition into the state by its own",
      "container",
      "container.reported",
      "failed",
      "identified",
      ["hasIdentity"],
    ],
    ["a transition that the machine does not have", "container", "x", "seen", "nowhere", []],
    ["an inner state", "hook", "xstate.init", "", "active.loading", []],
  ])("%s", (_, machine, event, from, to, guards) => {
    expect(findGuards(read(machine), { event, from, to })).toEqual(guards);
  });
});

test("a machine's states have their descriptions", () => {
  expect(read("container").descriptions["released"]).toContain("The callers have their answer");
});
