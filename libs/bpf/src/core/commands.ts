// SPDX-License-Identifier: Apache-2.0
// Numbers of bpf(2), from include/uapi/linux/bpf.h.

export const command = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  MAP_LOOKUP_BATCH: 24,
  MAP_UPDATE_BATCH: 26,
  MAP_DELETE_BATCH: 27,
} as const; // const: the names are a union

export type CommandName = keyof typeof command;

export const mapType = { hash: 1, array: 2, "array-of-maps": 12, "hash-of-maps": 13 } as const;

export type MapType = keyof typeof mapType;

/** BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
export const updateFlag = { any: 0, noExist: 1, exist: 2 } as const;

/** BPF_OBJ_NAME_LEN, with the terminating zero. */
export const NAME_BYTES = 16;
