// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary directory and the list of what must be undone when its test file ends. */
export interface Workspace {
  readonly dir: string;
  /** Part of every container id, cgroup and image name of this workspace: no two runs share one. */
  readonly tag: string;
  path(...parts: readonly string[]): string;
  /** Undone in reverse order; a failing one does not stop the others. */
  onClose(undo: () => unknown): void;
  close(): Promise<void>;
}

/** The name stays short because a unix socket's path may have 107 bytes only. */
export function createWorkspace(name: string): Workspace {
  const dir = mkdtempSync(join(tmpdir(), `rth-${name}-`));
  const undos: (() => unknown)[] = [];
  return {
    dir,
    tag: `${name}-${process.pid}-${dir.slice(-6).toLowerCase()}`,
    path: (...parts) => join(dir, ...parts),
    onClose: (undo) => undos.push(undo),
    close: async () => {
      const failures: unknown[] = [];
      for (const undo of undos.splice(0).reverse()) {
        try {
          await undo();
        } catch (failure) {
          failures.push(failure);
        }
      }
      rmSync(dir, { recursive: true, force: true });
      if (failures.length > 0) throw new AggregateError(failures, `clean-up of ${dir} failed`);
    },
  };
}
