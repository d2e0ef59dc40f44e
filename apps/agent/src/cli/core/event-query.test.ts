// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { nameFlag } from "./event-query.ts";

test.each([
  {
    what: "of the agent",
    message: "GetEvents: allow_list[0]: pod_regex: the regular expression",
    line: "--pod: the regular expression",
  },
  {
    what: "of an export file's filter",
    message: "allow_list[0]: binary_regex: x",
    line: "--process: x",
  },
  {
    what: "about a field without a flag stays",
    message: "GetEvents: allow_list[0]: arguments_regex: x",
    line: "GetEvents: allow_list[0]: arguments_regex: x",
  },
  { what: "about something else stays", message: "cannot reach the agent", line: "cannot reach the agent" },
])("an error $what", ({ message, line }) => expect(nameFlag(message)).toBe(line));
