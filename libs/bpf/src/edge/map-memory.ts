// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";

/**
 * What the kernel says a map of this process takes, in bytes; undefined where it cannot be read. Before Linux 6.4 it is an
 * estimate from the map's size (bpf_map_show_fdinfo() of kernel/bpf/syscall.c).
 */
export function readMapMemory(fd: number): number | undefined {
  try {
    const found = /^memlock:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}
