// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { encodeCString } from "./bytes.ts";
import { type SysError, toSysErrorOf } from "./errno.ts";
import { openSyscalls } from "./syscall.ts";

/** chroot(2), for the rest of the process's life. The working directory stays outside until the caller changes it. */
export function changeRoot(path: string): Result<void, SysError> {
  try {
    const name = encodeCString(path);
    if (name === undefined) throw new Error("the path has a NUL");
    const changed = openSyscalls().call("chroot", path, name);
    return changed.ok ? ok(undefined) : changed;
  } catch (error) {
    return err(toSysErrorOf(error, "chroot", path));
  }
}
