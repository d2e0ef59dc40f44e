// SPDX-License-Identifier: Apache-2.0
// Reports changes in directories as they happen (inotify(7)). The event loop waits for the descriptor like for a socket:
// a process in whose directories nothing changes is not woken. See docs/adr/0018-watching-directories.md.

import { describeError, err, ok, type Result } from "@rthooks/result";
import { O_CLOEXEC, O_NONBLOCK } from "./abi.ts";
import { encodeCString } from "./bytes.ts";
import { renderSysError, type SysError, toSysErrorOf } from "./errno.ts";
import {
  decodeInotifyEvents,
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
} from "./inotify-events.ts";
import { openSyscalls, type Syscalls } from "./syscall.ts";

/** The names of the entries that have changed; undefined where the kernel has lost count of them. */
export type OnChange = (names: ReadonlySet<string> | undefined) => void;

export interface WatchedDirectory {
  /** The kernel's number of the watch: the same for each path to the same directory. */
  readonly id: number;
  /** Ends the reports to this `onChange`. */
  close(): void;
}

/** Entries of the directory are made, removed, renamed, written, or get another mode or owner; or it ends itself. */
const CHANGES =
  IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_MODIFY | IN_ATTRIB;

export interface DirectoryWatch {
  /**
   * Calls `onChange` for changes from now on, once for those that come together, 20 ms apart at least. The lookup of the
   * path blocks where its file system does not answer.
   */
  add(path: string, onChange: OnChange): Result<WatchedDirectory, SysError>;
  /** Why changes are reported late or not at all, in one line; empty where all is well. */
  problem(): string;
  /** The process does not end by itself before. */
  close(): void;
}

/** Changes that come together are reported together, and a directory that changes without end 50 times a second at most. */
const REST_MS = 20;
/** Also the latency of reports while the descriptor cannot be waited for: a new stream reads what there is. */
const REOPEN_MS = 1000;

/** Where the kernel or the process has no inotify each `add` gives the error. */
export function openDirectoryWatch(): DirectoryWatch {
  try {
    const sys = openSyscalls();
    const opened = sys.call("inotifyInit1", "", O_NONBLOCK | O_CLOEXEC);
    return opened.ok ? watchWith(sys, opened.value) : createBroken(opened.error);
  } catch (error) {
    return createBroken({ ...toSysErrorOf(error, "inotifyInit1", ""), message: describeError(error) });
  }
}

function createBroken(error: SysError): DirectoryWatch {
  return { add: () => err(error), problem: () => renderSysError(error), close: () => {} };
}

function watchWith(sys: Syscalls, fd: number): DirectoryWatch {
  const listeners = new Map<number, Set<OnChange>>();
  let cancel = (): void => {};
  let isClosed = false;
  let problem = "";

  const report = (bytes: Uint8Array): void => {
    const events = decodeInotifyEvents(bytes);
    const changed = new Map<OnChange, Set<string> | undefined>();
    if (events === undefined || events.some(({ mask }) => (mask & IN_Q_OVERFLOW) !== 0)) {
      for (const set of listeners.values()) for (const onChange of set) changed.set(onChange, undefined);
    }
    for (const { watch, mask, name } of events ?? []) {
      const isGone = (mask & IN_IGNORED) !== 0;
      for (const onChange of isGone ? [] : (listeners.get(watch) ?? [])) {
        const names = changed.has(onChange) ? changed.get(onChange) : new Set<string>();
        changed.set(onChange, names?.add(name));
      }
      if (isGone) listeners.delete(watch);
    }
    for (const [onChange, names] of changed) onChange(names);
  };

  const readToEnd = async (): Promise<void> => {
    // Bun takes a duplicate of the descriptor into its epoll(7) set.
    const reader = Bun.file(fd).stream().getReader();
    cancel = () => void reader.cancel();
    let next = reader.read();
    // A read that fails does so at once.
    if (problem !== "") await Promise.race([next, Bun.sleep(REOPEN_MS)]);
    problem = "";
    for (;;) {
      const { done, value } = await next;
      if (isClosed) return;
      if (done) throw new Error("the stream has ended");
      report(value);
      await Bun.sleep(REST_MS);
      next = reader.read();
    }
  };
  const run = async (): Promise<void> => {
    while (!isClosed) {
      try {
        await readToEnd();
      } catch (error) {
        problem = `the inotify descriptor cannot be read: ${describeError(error)}`;
        await Bun.sleep(REOPEN_MS);
      }
    }
  };
  void run();

  return {
    add(path, onChange) {
      const name = encodeCString(path);
      if (name === undefined) return err(toSysErrorOf(undefined, "inotifyAddWatch", path));
      const added = sys.call("inotifyAddWatch", path, fd, name, CHANGES | IN_ONLYDIR);
      if (!added.ok) return added;
      const id = added.value;
      const set = listeners.get(id) ?? new Set();
      listeners.set(id, set.add(onChange));
      return ok({
        id,
        close() {
          if (!set.delete(onChange) || set.size > 0 || listeners.get(id) !== set) return;
          listeners.delete(id);
          sys.call("inotifyRmWatch", path, fd, id);
        },
      });
    },
    problem: () => problem,
    close() {
      if (isClosed) return;
      isClosed = true;
      cancel();
      sys.call("close", "", fd);
    },
  };
}
