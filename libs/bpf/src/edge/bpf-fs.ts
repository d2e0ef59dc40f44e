// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, statfsSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { openSyscalls } from "@rthooks/sys/syscall";

/** BPF_FS_MAGIC of include/uapi/linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Mounts the bpf file system there unless it is mounted already, which the value tells. The error is one line for people. */
export function ensureBpfFs(path: string): Result<"there" | "mounted", string> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (statfsSync(path).type === BPF_FS_MAGIC) return ok("there");
    // As systemd mounts it: its default lets every user make directories there.
    const rootOnly = new TextEncoder().encode("mode=0700\0");
    const text = (word: string): Uint8Array => new TextEncoder().encode(`${word}\0`);
    const sys = openSyscalls();
    const done = sys.call("mount", path, text("bpf"), text(path), text("bpf"), 0, sys.pointerTo(rootOnly));
    return done.ok
      ? ok("mounted")
      : err(`${path} is no bpf file system, and none can be mounted: ${done.error.message}`);
  } catch (error) {
    return err(`${path} cannot have a bpf file system: ${describeError(error)}`);
  }
}
