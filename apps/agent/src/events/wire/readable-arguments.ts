// SPDX-License-Identifier: Apache-2.0
// `tetra getevents -o compact` reads the first argument of some functions without a look at its type, and crashes where the
// policy declares another one (Tetragon pkg/encoder/encoder.go, EventToString). A policy's author must not end the
// sessions of others.

import type { KprobeArgument } from "@rthooks/proto/events";

type Value = NonNullable<KprobeArgument["arg"]>;

const emptyFile = { mount: "", path: "", flags: "", permission: "" };
const emptySock: Value = {
  $case: "sockArg",
  sockArg: {
    ...{ family: "", type: "", protocol: "", mark: 0, priority: 0 },
    ...{ saddr: "", daddr: "", sport: 0, dport: 0, cookie: 0n, state: "" },
  },
};
const file: Value = { $case: "fileArg", fileArg: emptyFile };
const path: Value = { $case: "pathArg", pathArg: emptyFile };

/** By function: the argument that `tetra` expects. Undefined: one that no event here has. */
const expected: ReadonlyMap<string, Value | undefined> = new Map<string, Value | undefined>([
  ["tcp_connect", emptySock],
  ["tcp_close", emptySock],
  ["tcp_sendmsg", emptySock],
  ["security_file_permission", file],
  ["security_mmap_file", file],
  ["security_file_truncate", file],
  ["security_path_truncate", path],
  ["bpf_check", undefined],
  ["security_perf_event_alloc", undefined],
  ["security_bpf_map_alloc", undefined],
  ["security_bpf_map_create", undefined],
]);

/** The arguments, after an empty one of the expected type where the first has another type. */
export function toReadableArguments(functionName: string, args: KprobeArgument[]): KprobeArgument[] {
  const [first] = args;
  if (first === undefined || !expected.has(functionName)) return args;
  const needed = expected.get(functionName);
  if (needed === undefined) return [];
  return first.arg?.$case === needed.$case ? args : [{ arg: needed, label: "" }, ...args];
}
