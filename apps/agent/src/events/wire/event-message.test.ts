// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import type { AgentEvent, MatchFacts } from "../core/agent-event.ts";
import { exec, exit, match, node, report } from "./event-message.fixture.ts";
import { toEventMessage } from "./event-message.ts";

/** As a reader of the export file, and a client of the wire, get it. */
const toJson = (event: AgentEvent): unknown => {
  const message = toEventMessage(event, node);
  const json = toEventJson(message);
  expect(toEventJson(GetEventsResponse.decode(GetEventsResponse.encode(message).finish()))).toBe(json);
  return JSON.parse(json);
};

const pod = (pid: number) => ({
  namespace: "shop",
  name: "web-0",
  uid: "4c9f1974-5c46-4b0a-8d57-8f1b9d5e2a11",
  container: {
    id: "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    name: "app",
    image: { id: "docker.io/library/busybox@sha256:00", name: "docker.io/library/busybox:1.36" },
    start_time: "2023-11-14T22:15:00Z",
    pid,
  },
  pod_labels: { app: "web" },
  workload: "web",
  workload_kind: "StatefulSet",
});

const process = {
  exec_id: "Y2hpbGQ=",
  ...{ pid: 4242, uid: 1000, cwd: "/", binary: "/bin/cat", arguments: "/etc/shadow", flags: "execve clone" },
  start_time: "2023-11-14T22:15:01.000000001Z",
  ...{ auid: 4_294_967_295, pod: pod(7), docker: "0123456789abcdef0123456789abcde" },
  ...{ parent_exec_id: "cGFyZW50", refcnt: 1, tid: 4242, in_init_tree: true },
};

const parent = {
  exec_id: "cGFyZW50",
  ...{ pid: 4240, uid: 0, cwd: "/", binary: "/bin/sh", arguments: "-c run", flags: "execve" },
  start_time: "2023-11-14T22:15:00Z",
  ...{ auid: 4_294_967_295, pod: pod(1), docker: "0123456789abcdef0123456789abcde" },
  ...{ parent_exec_id: "aW5pdA==", refcnt: 1, tid: 4240, in_init_tree: true },
};

const common = { node_name: "node-1", time: "2023-11-14T22:15:01.000000001Z" };

describe("an event as GetEventsResponse", () => {
  test("exec", () => expect(toJson(exec)).toEqual({ process_exec: { process, parent }, ...common }));

  test("exit: the signal, and a status that is 0 is left out", () =>
    expect(toJson(exit)).toEqual({
      process_exit: { process, parent, signal: "SIGKILL", time: common.time },
      ...common,
    }));

  test("a process without parent and container", () => {
    const alone = toJson({ ...exec, process: { ...exec.process, container: undefined }, parent: undefined });
    const { pod: _, docker: __, in_init_tree: ___, ...rest } = process;
    expect(alone).toEqual({ process_exec: { process: rest }, ...common });
  });

  test("a kprobe's match, with its socket", () =>
    expect(toJson(match)).toEqual({
      process_kprobe: {
        ...{ process, parent, function_name: "tcp_connect", action: "KPROBE_ACTION_OVERRIDE" },
        args: [
          {
            label: "socket",
            sock_arg: {
              ...{ family: "AF_INET", type: "SOCK_STREAM", protocol: "IPPROTO_TCP", state: "TCP_CLOSE" },
              ...{ saddr: "10.0.0.7", daddr: "169.254.169.254", dport: 80 },
            },
          },
        ],
        ...{ policy_name: "no-metadata", message: "not allowed", tags: ["net"] },
      },
      ...common,
    }));

  test("events that were lost", () =>
    expect(toJson({ kind: "lost", timeNs: exec.timeNs, count: 1000n })).toEqual({
      rate_limit_info: { number_of_dropped_process_events: "1000" },
      ...common,
    }));
});

const rename = (
  hook: string,
  event: "kprobe" | "tracepoint" | "lsm",
  types: readonly string[],
  facts: MatchFacts,
) => {
  const args = types.map((type, at) => ({ facet: `arg${at}` as `arg${0 | 1 | 2}`, type, label: "" }));
  const content = toEventMessage({ ...match, report: { ...report, event, args }, hook, facts }, node).event;
  return JSON.parse(toEventJson({ event: content, nodeName: "", time: undefined, clusterName: "" }));
};

describe("a match", () => {
  const nothing = { numbers: {}, texts: {}, addresses: {} };

  test("of a tracepoint has the subsystem and the event apart", () =>
    expect(rename("syscalls/sys_enter_mkdir", "tracepoint", [], nothing)).toMatchObject({
      process_tracepoint: { subsys: "syscalls", event: "sys_enter_mkdir", policy_name: "no-metadata" },
    }));

  test("of an LSM hook is process_lsm", () =>
    expect(
      rename("file_open", "lsm", ["file"], { ...nothing, texts: { arg0: "/etc/shadow" } }),
    ).toMatchObject({
      process_lsm: { function_name: "file_open", args: [{ file_arg: { path: "/etc/shadow" } }] },
    }));

  test.each([
    { type: "int", number: -1n, arg: { int_arg: -1 } },
    { type: "int", number: 0xffff_ffffn, arg: { int_arg: -1 } },
    { type: "int", number: 0n, arg: { int_arg: 0 } },
    { type: "uint32", number: -1n, arg: { uint_arg: 4_294_967_295 } },
    { type: "int64", number: 2n ** 64n - 1n, arg: { long_arg: "-1" } },
    { type: "size_t", number: 2n ** 63n, arg: { size_arg: "9223372036854775808" } },
    { type: "uint64", number: 5n, arg: { size_arg: "5" } },
    { type: "syscall64", number: 83n, arg: { syscall_id: { id: 83, abi: "x64" } } },
    { type: "capability", number: 21n, arg: { capability_arg: { value: 21, name: "CAP_SYS_ADMIN" } } },
    { type: "cred", number: 0n, arg: { process_credentials_arg: { uid: 0 } } },
    { type: "string", text: "a\nb", arg: { string_arg: "a\nb" } },
    { type: "char_buf", text: "hi", arg: { bytes_arg: "aGk=" } },
    { type: "char_buf", text: "hi", number: 2n, arg: { bytes_arg: "aGk=" } },
    { type: "char_buf", text: "\ufffd", bytes: Uint8Array.of(255, 0), arg: { bytes_arg: "/wA=" } },
    {
      type: "char_buf",
      text: "hi",
      number: 2n ** 40n,
      arg: { truncated_bytes_arg: { bytes_arg: "aGk=", orig_size: "1099511627776" } },
    },
    { type: "fd", number: 3n, text: "/tmp/x", arg: { file_arg: { path: "/tmp/x" } } },
    { type: "path", text: "/srv", arg: { path_arg: { path: "/srv" } } },
    { type: "linux_binprm", text: "/bin/ls", arg: { linux_binprm_arg: { path: "/bin/ls" } } },
    { type: "int", arg: { error_arg: { Message: "the value could not be read" } } },
    { type: "sock", arg: { sock_arg: {} } },
  ])("has an argument of the type $type as $arg", ({ type, number, text, bytes, arg }) => {
    const facts = {
      numbers: number === undefined ? {} : { arg0: number },
      texts: text === undefined ? {} : { arg0: text },
      bytes: bytes === undefined ? {} : { arg0: bytes },
      addresses: {},
    };
    expect(rename("some_function", "kprobe", [type], facts).process_kprobe.args).toEqual([arg]);
  });

  test("of a function whose first argument tetra reads without a look at its type has one of that type", () => {
    const facts = { numbers: { arg0: 1n }, texts: {}, addresses: {} };
    expect(rename("tcp_connect", "kprobe", ["int"], facts).process_kprobe.args).toEqual([
      { sock_arg: {} },
      { int_arg: 1 },
    ]);
    expect(rename("bpf_check", "kprobe", ["int"], facts).process_kprobe.args).toBeUndefined();
  });
});
