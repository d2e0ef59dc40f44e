// SPDX-License-Identifier: Apache-2.0

import type { Bpf, BpfMap } from "@rthooks/bpf";
import { changeOuter, createInner, type OuterMap } from "./outer-map.ts";

/** Without a thread: calls block. */
export function createDirectOuterMap(bpf: Bpf, outer: BpfMap): OuterMap {
  return {
    create: async (filterIds) => new Map(filterIds.map((id) => [id, createInner(bpf, id)])),
    change: async (change) => changeOuter(outer, change),
    close: () => {},
  };
}
