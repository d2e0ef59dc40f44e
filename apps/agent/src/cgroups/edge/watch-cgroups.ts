// SPDX-License-Identifier: Apache-2.0
// Hears of cgroups that come and go below containers, within some milliseconds (inotify, which kernfs serves for mkdir and
// rmdir). Where the kernel gives no more watches the sweep has to do.

import type { Logger } from "@rthooks/log";
import type { Cgroup } from "@rthooks/machines/pod";
import { describeError } from "@rthooks/result";
import { type Inotify, openInotify } from "@rthooks/sys/inotify";
import type { NestedWatch } from "../core/nested-watch.ts";

/**
 * Between two looks at what has happened. Bun has no way to be woken by such a descriptor; an idle look costs 1 µs, and a
 * container that makes and removes cgroups without end is looked at this often at most.
 */
const intervalMs = 20;

export interface CgroupWatch extends NestedWatch {
  close(): void;
}

/** `onChange` is told which container's cgroups to look at. */
export function openCgroupWatch(
  cgroupRoot: string,
  log: Logger,
  onChange: (containerId: string) => void,
): CgroupWatch {
  const inotify = open(log);
  if (inotify === undefined) return { begin: () => {}, set: () => false, end: () => {}, close: () => {} };
  const watchesOf = new Map<string, Map<string, number>>();
  const containerOf = new Map<number, string>();
  let hasComplained = false;

  /** True where it was not watched until now. */
  const add = (containerId: string, key: string, path: string): boolean => {
    const watches = watchesOf.get(containerId) ?? new Map<string, number>();
    if (watches.has(key)) return false;
    const added = inotify.add(cgroupRoot + path);
    if (!added.ok) {
      if (added.error.code !== "ENOENT") complain(added.error.message);
      return false;
    }
    watchesOf.set(containerId, watches.set(key, added.value));
    containerOf.set(added.value, containerId);
    return true;
  };
  const complain = (why: string): void => {
    if (hasComplained) return;
    hasComplained = true;
    log.warn(
      "cgroups below containers are noticed by the sweep only; is fs.inotify.max_user_watches too low?",
      {
        err: why,
      },
    );
  };
  const drop = (containerId: string, watch: number): void => {
    // Two that share a cgroup share its watch, which is then the later one's.
    if (containerOf.get(watch) !== containerId) return;
    containerOf.delete(watch);
    inotify.remove(watch);
  };

  const timer = setInterval(() => {
    const happened = inotify.take();
    const containers = new Set<string>();
    for (const watch of happened === "all" ? containerOf.keys() : happened) {
      const containerId = containerOf.get(watch);
      if (containerId !== undefined) containers.add(containerId);
    }
    for (const containerId of containers) onChange(containerId);
  }, intervalMs);
  timer.unref();

  return {
    begin: (containerId, cgroup) => void add(containerId, toKey(cgroup), cgroup.path),
    set(containerId, cgroups) {
      let hasNew = false;
      const wanted = new Set<string>();
      for (const cgroup of cgroups) {
        const key = toKey(cgroup);
        wanted.add(key);
        if (add(containerId, key, cgroup.path)) hasNew = true;
      }
      const watches = watchesOf.get(containerId);
      if (watches === undefined || watches.size === wanted.size) return hasNew;
      for (const [key, watch] of watches) {
        if (wanted.has(key)) continue;
        watches.delete(key);
        drop(containerId, watch);
      }
      return hasNew;
    },
    end(containerId) {
      for (const watch of watchesOf.get(containerId)?.values() ?? []) drop(containerId, watch);
      watchesOf.delete(containerId);
    },
    close() {
      clearInterval(timer);
      inotify.close();
    },
  };
}

/** Under one path another cgroup may have come. */
const toKey = ({ path, id }: Cgroup): string => `${path}#${id}`;

function open(log: Logger): Inotify | undefined {
  const why = (() => {
    try {
      const opened = openInotify();
      return opened.ok ? opened.value : opened.error.message;
    } catch (error) {
      return describeError(error);
    }
  })();
  if (typeof why !== "string") return why;
  log.warn("cgroups below containers are noticed by the sweep only", { err: why });
  return undefined;
}
