// SPDX-License-Identifier: Apache-2.0

import { closeSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { openSyscalls } from "@rthooks/sys/syscall";
import { parseTracepointFormat, type TracepointField } from "../core/tracepoint-format.ts";

/**
 * Where systemd mounts it. /sys/kernel/debug/tracing of older hosts is not looked at: a look mounts it there, and it stays
 * (kernel/trace/trace.c, trace_automount).
 */
const usualRoot = "/sys/kernel/tracing";

/** The number of a tracepoint. The error is one line. */
export function readTracepointId(group: string, event: string): Result<number, string> {
  const text = readEventFile(group, event, "id");
  return text.ok ? ok(Number(text.value)) : text;
}

/** The fields of a tracepoint's record, the common ones first. The error is one line. */
export function readTracepointFields(
  group: string,
  event: string,
): Result<readonly TracepointField[], string> {
  const text = readEventFile(group, event, "format");
  return text.ok ? ok(parseTracepointFormat(text.value)) : text;
}

/**
 * Where tracefs is not mounted, a mount is made that has no path and ends with this call: the mounts of the node do not
 * change.
 */
function readEventFile(group: string, event: string, file: string): Result<string, string> {
  // The names come from policies, and become a part of a path.
  if (![group, event].every((name) => /^\w[\w-]{0,127}$/.test(name)))
    return err(`not the name of a tracepoint: ${JSON.stringify(`${group}/${event}`.slice(0, 100))}`);
  if (existsSync(join(usualRoot, "events"))) return readFile(usualRoot, group, event, file);
  const mount = mountWithoutPath();
  if (!mount.ok) return mount;
  try {
    return readFile(`/proc/self/fd/${mount.value}`, group, event, file);
  } finally {
    closeSync(mount.value);
  }
}

function readFile(root: string, group: string, event: string, file: string): Result<string, string> {
  const path = join(root, "events", group, event, file);
  if (!existsSync(path)) return err(`the kernel has no tracepoint ${group}/${event}`);
  return ok(readFileSync(path, "utf8"));
}

// include/uapi/linux/mount.h
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
/** MOUNT_ATTR_RDONLY, NOSUID, NODEV and NOEXEC. */
const mountAttributes = 0xf;

/** A descriptor of the root of tracefs; the kernel unmounts it when the descriptor is closed. */
function mountWithoutPath(): Result<number, string> {
  const sys = openSyscalls();
  const context = sys.call("fsopen", "tracefs", new TextEncoder().encode("tracefs\0"), FSOPEN_CLOEXEC);
  if (!context.ok) return fail(context.error.message);
  try {
    const created = sys.call("fsconfig", "tracefs", context.value, FSCONFIG_CMD_CREATE);
    if (!created.ok) return fail(created.error.message);
    const mount = sys.call("fsmount", "tracefs", context.value, FSMOUNT_CLOEXEC, mountAttributes);
    return mount.ok ? mount : fail(mount.error.message);
  } finally {
    closeSync(context.value);
  }
}

const fail = (reason: string): Result<never, string> =>
  err(`tracefs is not mounted at ${usualRoot}, and mounting it failed: ${reason}`);
