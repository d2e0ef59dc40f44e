// SPDX-License-Identifier: Apache-2.0

import type { ProcCgroupReader } from "@rthooks/oci";
import { err, ok, type Result } from "@rthooks/result";
import { type ReadError, renderSysError, type System } from "@rthooks/sys";

/** At the stages that hold a container, runc and crun start the hook in the runtime's own cgroup. */
export function openProcCgroups(system: Pick<System, "readProcFile">): ProcCgroupReader {
  return {
    ofProcess(pid) {
      const text = readCgroups(system, `/proc/${pid}/cgroup`);
      // read(2) fails with ESRCH if the process exits after open(2).
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
  return err(text.error.code === "ETOOBIG" ? "/proc/PID/cgroup is too large" : renderSysError(text.error));
}
