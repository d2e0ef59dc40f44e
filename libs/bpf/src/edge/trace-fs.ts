// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { openSyscalls } from "@rthooks/sys/syscall";

/** Where systemd mounts it, and where older hosts have it. */
const roots = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** The number of a tracepoint. Mounts tracefs if it is not mounted. The error is one line. */
export function readTracepointId(group: string, event: string): Result<number, string> {
  const root = findTraceFs();
  if (!root.ok) return root;
  const path = join(root.value, "events", group, event, "id");
  if (!existsSync(path)) return err(`the kernel has no tracepoint ${group}/${event}`);
  return ok(Number(readFileSync(path, "utf8")));
}

function findTraceFs(): Result<string, string> {
  const mounted = roots.find((root) => existsSync(join(root, "events")));
  if (mounted !== undefined) return ok(mounted);
  const [root = ""] = roots;
  const text = (word: string): Uint8Array => new TextEncoder().encode(`${word}\0`);
  const done = openSyscalls().call("mount", root, text("tracefs"), text(root), text("tracefs"), 0, 0);
  return done.ok
    ? ok(root)
    : err(`tracefs is not mounted, and mounting it at ${root} failed: ${done.error.message}`);
}
