// SPDX-License-Identifier: Apache-2.0
// The layout of the records of bpf/events.h.

/** RECORD_…: also the order of the map lost_events. */
export const recordKinds = [undefined, "exec", "exit", "fork", "match", "cgroup_gone"] as const;

export type RecordKind = Exclude<(typeof recordKinds)[number], undefined>;

/** Where the fields are, in bytes. */
export const recordLayout = {
  record: {
    ...{ kind: 0, bytes: 4, time: 8, container: 16, start_time: 24, pid: 32, tid: 36, uid: 40 },
    ...{ parent_pid: 44, parent_start_time: 48 },
  },
  exec_record: {
    ...{ auid: 56, namespace_pid: 60, path_bytes: 64, arguments_bytes: 68, cwd_bytes: 72, flags: 76 },
    text: 80,
  },
  exit_record: { exit_code: 56 },
  fork_record: { child_pid: 56, child_namespace_pid: 60, child_start_time: 64 },
  match_record: {
    ...{ hook: 56, flags: 60, rules: 64, enforced: 96, known_numbers: 128, known_addresses: 132 },
    ...{ numbers: 136, addresses: 240, texts: 272, text: 292 },
  },
  cgroup_record: { cgroup: 56 },
} as const;

/** Bytes of a record without its texts. */
export const leastBytes: Readonly<Record<RecordKind, number>> = {
  ...{ exec: recordLayout.exec_record.text, exit: 64, fork: 72 },
  ...{ match: recordLayout.match_record.text, cgroup_gone: 64 },
};

/** EXEC_… */
export const execFlag = { cut: 1, noPath: 2, noArguments: 4, noCwd: 8, hasAuid: 16 };
/** MATCH_… */
export const matchFlag = { denied: 1, signalled: 2 };
/** The `start` of a text that is not known. */
export const NO_TEXT = 0xffff;
export const ADDRESS_BYTES = 16;
