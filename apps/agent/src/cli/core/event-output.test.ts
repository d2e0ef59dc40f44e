// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { Screen } from "@rthooks/terminal";
import { createEventOutput } from "./event-output.ts";
import { parseJsonEvent, toJsonSubject } from "./json-event.ts";

const plain: Screen = {
  columns: Number.POSITIVE_INFINITY,
  widthOf: (text) => text.length,
  paint: (_, text) => text,
};
const render = (event: unknown, withTimes = false): string => {
  const parsed = parseJsonEvent(JSON.stringify(event));
  return parsed === undefined ? "" : createEventOutput("table", plain, withTimes).render(parsed);
};

const pod = { namespace: "shop", name: "web-0", container: { name: "app" }, pod_labels: { app: "web" } };
const own = { pid: 7, binary: "/bin/cat", arguments: "/etc/shadow", pod };
const match = { process: own, function_name: "tcp_connect", policy_name: "no-metadata" };
const sock = { sock_arg: { saddr: "10.0.0.7", daddr: "fd00::1", dport: 80 }, label: "socket" };

describe("the compact form", () => {
  test.each([
    {
      event: { process_exec: { process: own } },
      line: "🚀 process shop/web-0 /bin/cat /etc/shadow",
    },
    {
      event: { process_exec: { process: { ...own, pod: undefined } }, node_name: "node-1" },
      line: "🚀 process node-1 /bin/cat /etc/shadow",
    },
    { event: { process_exit: { process: own } }, line: "💥 exit    shop/web-0 /bin/cat /etc/shadow 0" },
    {
      event: { process_exit: { process: own, signal: "SIGKILL", status: 9 } },
      line: "💥 exit    shop/web-0 /bin/cat /etc/shadow SIGKILL",
    },
    {
      event: { process_kprobe: { ...match, action: "KPROBE_ACTION_OVERRIDE", args: [sock] } },
      line: "❓ call    shop/web-0 /bin/cat tcp_connect 10.0.0.7:0 -> [fd00::1]:80 [no-metadata] denied",
    },
    {
      event: {
        process_tracepoint: {
          process: own,
          subsys: "syscalls",
          event: "sys_enter_kill",
          args: [{ int_arg: 0 }],
        },
      },
      line: "☎  event   shop/web-0 /bin/cat syscalls/sys_enter_kill 0",
    },
    {
      event: {
        process_lsm: {
          ...{ process: own, function_name: "file_open", action: "KPROBE_ACTION_SIGKILL" },
          args: [{ label: "file", file_arg: { path: "/etc/shadow" } }],
        },
      },
      line: "🔒 LSM     shop/web-0 /bin/cat file_open /etc/shadow killed",
    },
    {
      event: { rate_limit_info: { number_of_dropped_process_events: "1000" } },
      line: "... 1000 events are missing",
    },
    // Written by anyone: nothing of it is taken for granted.
    {
      event: { process_kprobe: { args: [null, 1, [], {}, { sock_arg: 3 }] } },
      line: "❓ call    - - / ?:0 -> ?:0",
    },
    { event: { process_exec: { process: "x" } }, line: "🚀 process - -" },
    { event: { process_lsm: { function_name: "f", action: "constructor" } }, line: "🔒 LSM     - - f" },
  ])("$line", ({ event, line }) => expect(render(event)).toBe(`${line}\n`));

  test("has the time where it is asked for", () =>
    expect(render({ process_exec: { process: own }, time: "2026-01-02T03:04:05.5Z" }, true)).toBe(
      "2026-01-02T03:04:05.5Z 🚀 process shop/web-0 /bin/cat /etc/shadow\n",
    ));

  test("is one line without anything that a terminal obeys, whatever the names are", () => {
    const evil = "a\nb\u001b[31m\u009b\u202e\u0000\ud800";
    const hostile = {
      process_kprobe: {
        process: { binary: evil, arguments: evil, pod: { namespace: evil, name: evil } },
        ...{ function_name: evil, policy_name: evil },
        args: [
          { string_arg: evil },
          { [evil]: evil },
          { file_arg: { path: evil } },
          { sock_arg: { daddr: evil } },
        ],
      },
      ...{ node_name: evil, time: evil },
    };
    const exec = { process_exec: { process: { binary: evil, arguments: evil } }, node_name: evil };
    for (const event of [hostile, exec, { rate_limit_info: { number_of_dropped_process_events: evil } }]) {
      const line = render(event, true);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(line.slice(0, -1)).toMatch(/^[ -~❓🚀]*$/u);
      expect(line).toContain("\\u{1b}");
    }
  });
});

test("JSON is the event as it came, in one line", () => {
  const event = { process_exec: { process: { ...own, arguments: "a\u009bb" } }, node_name: "n" };
  const parsed = parseJsonEvent(JSON.stringify(event));
  if (parsed === undefined) throw new Error("it is an event");
  const line = createEventOutput("json", plain, false).render(parsed);
  expect(line).not.toContain("\u009b");
  expect(JSON.parse(line)).toEqual(event);
});

test.each(["", "{", "[]", "null", '"a"', "{}", '{"process_exec":1}', '{"test":{}}', '{"__proto__":{}}'])(
  "%p is not an event",
  (line) => expect(parseJsonEvent(line)).toBeUndefined(),
);

test("filters see what they see of an agent's own events", () => {
  const parsed = parseJsonEvent(
    JSON.stringify({
      process_kprobe: {
        ...match,
        process: { ...match.process, in_init_tree: true },
        parent: { pid: 1, binary: "/init" },
      },
    }),
  );
  if (parsed === undefined) throw new Error("it is an event");
  expect(toJsonSubject(parsed)).toEqual({
    type: 9,
    policyName: "no-metadata",
    process: {
      ...{ pid: 7, binary: "/bin/cat", arguments: "/etc/shadow", docker: "", inInitTree: true },
      pod: { namespace: "shop", name: "web-0", containerName: "app", labels: new Map([["app", "web"]]) },
    },
    parent: { pid: 1, binary: "/init", arguments: "", docker: "", inInitTree: false, pod: undefined },
  });
});

test("values that are not texts or numbers are empty for filters", () => {
  const object = { toString: 1, valueOf: 1 };
  const parsed = parseJsonEvent(
    JSON.stringify({
      process_exec: {
        process: { pid: object, binary: object, pod: { name: object, pod_labels: { a: object } } },
      },
    }),
  );
  if (parsed === undefined) throw new Error("it is an event");
  expect(toJsonSubject(parsed).process).toEqual({
    ...{ pid: 0, binary: "", arguments: "", docker: "", inInitTree: false },
    pod: { namespace: "", name: "", containerName: "", labels: new Map([["a", ""]]) },
  });
});
