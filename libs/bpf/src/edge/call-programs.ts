// SPDX-License-Identifier: Apache-2.0
// The programs of system calls: one at the place that all calls pass, and one for each list of arguments, which the first
// calls by a map of programs. docs/adr/0028.

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import {
  DISPATCH_PROGRAM,
  EARLIER_CALL_PROGRAM,
  ROW_PROGRAM,
  toDispatchAttachment,
  toRowAttachment,
} from "../core/hook-attachments.ts";
import type { ArgumentRead } from "../core/hook-constants.ts";
import type { Processor } from "../core/registers.ts";
import type { ProgramSet } from "./program-set.ts";

/** Errors are one line. Each step leaves what judges calls already in force. */
export interface CallPrograms {
  /** Makes the row's program callable. */
  putRow(row: number, args: readonly ArgumentRead[]): Result<void, string>;
  /** Has all calls dispatched. Afterwards, what an earlier version has attached for the row is detached. */
  dispatch(row: number): Result<void, string>;
  /** Removes all but these rows; without any, calls are not dispatched. */
  retain(rows: ReadonlySet<number>): Result<void, string>;
}

export function createCallPrograms(
  set: Pick<ProgramSet, "attach" | "detach" | "instances" | "findCalled" | "map">,
  processor: Processor,
): CallPrograms {
  const slots = set.map("call_programs");

  const attach = ({ program, instance }: ReturnType<typeof toDispatchAttachment>): Result<void, string> => {
    const attached = set.attach(program, instance);
    return attached.ok ? ok(undefined) : err(attached.error.reason);
  };
  const clear = (row: number): Result<void, string> => {
    const deleted = slots.delete(encodeNumber(row));
    return deleted.ok ? set.detach(ROW_PROGRAM, String(row)) : err(renderBpfError(deleted.error));
  };

  return {
    putRow(row, args) {
      const attached = attach(toRowAttachment(row, args, processor));
      if (!attached.ok) return attached;
      const fd = set.findCalled(ROW_PROGRAM, String(row));
      if (fd === undefined) return err(`program ${ROW_PROGRAM}: it is not held`);
      const put = slots.update(encodeNumber(row), encodeNumber(fd));
      return put.ok ? ok(undefined) : err(renderBpfError(put.error));
    },
    dispatch(row) {
      const attached = attach(toDispatchAttachment(processor));
      return attached.ok ? set.detach(EARLIER_CALL_PROGRAM, String(row)) : attached;
    },
    retain(rows) {
      if (rows.size === 0) {
        const detached = set.detach(DISPATCH_PROGRAM, toDispatchAttachment(processor).instance.name);
        if (!detached.ok) return detached;
      }
      for (const [program, remove] of [
        [ROW_PROGRAM, clear],
        [EARLIER_CALL_PROGRAM, (row: number) => set.detach(EARLIER_CALL_PROGRAM, String(row))],
      ] as const) {
        const instances = set.instances(program);
        if (!instances.ok) return instances;
        for (const row of instances.value.map(Number)) {
          const removed = rows.has(row) ? ok(undefined) : remove(row);
          if (!removed.ok) return removed;
        }
      }
      return ok(undefined);
    },
  };
}
