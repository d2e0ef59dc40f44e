// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, statfsSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { openSyscalls } from "@rthooks/sys/syscall";

/** BPF_FS_MAGIC of include/uapi/linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Mounts a bpf file system at the path, unless one is mounted there. The error is one line. */
export function ensureBpfFs(path: string): Result<"there" | "mounted", string> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (statfsSync(path).type === BPF_FS_MAGIC) return ok("there");
    // With the default mode every user could create directories in it; systemd mounts it with 0700, too.
    const rootOnly = new TextEncoder().encode("mode=0700\0");
    const text = (word: string): Uint8Array => new TextEncoder().encode(`${word}\0`);
    const sys = openSyscalls();
    const done = sys.call("mount", path, text("bpf"), text(path), text("bpf"), 0, sys.pointerTo(rootOnly));
    return done.ok
      ? ok("mounted")
      : err(`${path} is not a bpf file system, and mounting one failed: ${done.error.message}`);
  } catch (error) {
    return err(`cannot mount a bpf file system at ${path}: ${describeError(error)}`);
  }
}
