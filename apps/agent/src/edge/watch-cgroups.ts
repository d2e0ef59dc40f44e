// SPDX-License-Identifier: Apache-2.0
// Hears of cgroups that come and go below containers, within milliseconds (inotify, which kernfs serves for mkdir and
// rmdir). Where the kernel gives no more watches the sweep has to do.

import { type FSWatcher, watch } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import type { NestedWatch } from "../core/lifecycle-effects.ts";

/** A container may make and remove cgroups without end: it is looked at this often at most. */
const pauseMs = 20;

interface Watched {
  readonly watchers: Map<string, FSWatcher>;
  lookedAtMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export interface CgroupWatch extends NestedWatch {
  close(): void;
}

/** `onChange` is told which container's cgroups to look at. */
export function openCgroupWatch(
  cgroupRoot: string,
  log: Logger,
  onChange: (containerId: string) => void,
): CgroupWatch {
  const containers = new Map<string, Watched>();
  let hasComplained = false;

  const complain = (error: unknown): void => {
    if (hasComplained) return;
    hasComplained = true;
    log.warn(
      "cgroups below containers are noticed by the sweep only; is fs.inotify.max_user_watches too low?",
      {
        err: describeError(error),
      },
    );
  };

  const report = (containerId: string, watched: Watched): void => {
    if (watched.timer !== undefined) return;
    const waitMs = Math.max(0, watched.lookedAtMs + pauseMs - Date.now());
    watched.timer = setTimeout(() => {
      watched.timer = undefined;
      watched.lookedAtMs = Date.now();
      onChange(containerId);
    }, waitMs);
  };

  const open = (path: string, containerId: string, watched: Watched): FSWatcher | undefined => {
    try {
      const watcher = watch(cgroupRoot + path, { persistent: false }, () => report(containerId, watched));
      // Of a directory that is gone by now.
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) complain(error);
      return undefined;
    }
  };

  const end = (containerId: string): void => {
    const watched = containers.get(containerId);
    containers.delete(containerId);
    clearTimeout(watched?.timer);
    for (const watcher of watched?.watchers.values() ?? []) watcher.close();
  };

  return {
    set(containerId, cgroups) {
      const watched = containers.get(containerId) ?? { watchers: new Map(), lookedAtMs: 0, timer: undefined };
      containers.set(containerId, watched);
      let hasNew = false;
      // Under one path another cgroup may have come.
      const wanted = new Map(cgroups.map(({ path, id }) => [`${path}#${id}`, path]));
      for (const [key, path] of wanted) {
        if (watched.watchers.has(key)) continue;
        const watcher = open(path, containerId, watched);
        if (watcher === undefined) continue;
        watched.watchers.set(key, watcher);
        hasNew = true;
      }
      for (const [key, watcher] of watched.watchers) {
        if (wanted.has(key)) continue;
        watched.watchers.delete(key);
        watcher.close();
      }
      return hasNew;
    },
    end,
    close() {
      for (const containerId of [...containers.keys()]) end(containerId);
    },
  };
}
