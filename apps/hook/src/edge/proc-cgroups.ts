// SPDX-License-Identifier: Apache-2.0

import type { ProcCgroupReader } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import { type ReadError, renderSysError, type System } from "@rthooks/sys";

/** The runtime starts the hook in its own cgroup: runc and crun move no hook of the stages that hold a container. */
export function openProcCgroups(system: Pick<System, "readProcFile">): ProcCgroupReader {
  return {
    ofProcess(pid) {
      const text = readCgroups(system, `/proc/${pid}/cgroup`);
      // A process that ends between open(2) and read(2) is ESRCH.
      const isGone = !text.ok && (text.error.code === "ENOENT" || text.error.code === "ESRCH");
      return isGone ? ok(undefined) : renderError(text);
    },
    ofRuntime: () => renderError(readCgroups(system, "/proc/self/cgroup")),
  };
}

function readCgroups(system: Pick<System, "readProcFile">, path: string): Result<string, ReadError> {
  const bytes = system.readProcFile(path);
  return bytes.ok ? { ok: true, value: new TextDecoder().decode(bytes.value) } : bytes;
}

function renderError(text: Result<string, ReadError>): Result<string, string> {
  if (text.ok) return text;
  return err(
    text.error.code === "ETOOBIG" ? "the cgroups of a process: too much text" : renderSysError(text.error),
  );
}
