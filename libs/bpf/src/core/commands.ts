// SPDX-License-Identifier: Apache-2.0
// Numbers of bpf(2), from include/uapi/linux/bpf.h.

export const command = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  RAW_TRACEPOINT_OPEN: 17,
  MAP_FREEZE: 22,
  MAP_LOOKUP_BATCH: 24,
  MAP_UPDATE_BATCH: 26,
  MAP_DELETE_BATCH: 27,
  LINK_CREATE: 28,
} as const; // const: the names are a union

export type CommandName = keyof typeof command;

export const mapType = {
  hash: 1,
  array: 2,
  "prog-array": 3,
  "percpu-hash": 5,
  "percpu-array": 6,
  "lru-hash": 9,
  "lpm-trie": 11,
  "array-of-maps": 12,
  "hash-of-maps": 13,
  ringbuf: 27,
} as const;

export type MapType = keyof typeof mapType;

const mapTypes = Object.keys(mapType) as readonly MapType[]; // Object.keys loses the type of the keys

/** Undefined for a type that is not used here. */
export const findMapType = (number: number): MapType | undefined =>
  mapTypes.find((name) => mapType[name] === number);

/** BPF_PROG_TYPE_… */
export const programType = {
  kprobe: 2,
  tracepoint: 5,
  cgroup_sock: 9,
  cgroup_device: 15,
  raw_tracepoint: 17,
  cgroup_sock_addr: 18,
  cgroup_sysctl: 23,
  tracing: 26,
  lsm: 29,
} as const;

export type ProgramType = keyof typeof programType;

/** BPF_… of enum bpf_attach_type. */
export const attachType = {
  cgroup_inet_sock_create: 2,
  cgroup_device: 6,
  cgroup_inet4_bind: 8,
  cgroup_inet6_bind: 9,
  cgroup_inet4_connect: 10,
  cgroup_inet6_connect: 11,
  cgroup_udp4_sendmsg: 14,
  cgroup_udp6_sendmsg: 15,
  cgroup_sysctl: 18,
  trace_fentry: 24,
  lsm_mac: 27,
  perf_event: 41,
} as const;

/** BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export const updateFlag = { any: 0, noExist: 1, exist: 2 } as const;

/** A program can read the map and not write it. */
export const BPF_F_RDONLY_PROG = 1 << 7;

/** BPF_OBJ_NAME_LEN, with the terminating zero. */
export const NAME_BYTES = 16;
