// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Undefined for what ended meanwhile. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** True when a hook that was given this argument, a socket's address for one, has a socket open. */
export function hasSocket(argument: string): boolean {
  return readdirSync("/proc").some((pid) => {
    const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")) ?? [];
    if (words[0] !== "tetragon-oci-hook" || !words.includes(argument)) return false;
    const files = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    return files.some((fd) => attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`))?.startsWith("socket:"));
  });
}
