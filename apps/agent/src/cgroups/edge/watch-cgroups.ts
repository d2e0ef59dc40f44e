// SPDX-License-Identifier: Apache-2.0
// Reports cgroups that are created and removed below containers, as it happens: kernfs raises inotify events for mkdir and
// rmdir. Where the kernel gives no more watches, the sweep finds such cgroups.

import type { Logger } from "@rthooks/log";
import type { Cgroup } from "@rthooks/machines/pod";
import type { DirectoryWatch, WatchedDirectory } from "@rthooks/sys/directory-watch";
import type { NestedWatch } from "../core/nested-watch.ts";

export interface CgroupWatch extends NestedWatch {
  close(): void;
}

interface ContainerWatch {
  /** By path and id of the cgroup. */
  readonly cgroups: Map<string, WatchedDirectory>;
  onChange(): void;
}

/** `onChange` is called with the container whose cgroups have changed. */
export function openCgroupWatch(
  directories: DirectoryWatch,
  cgroupRoot: string,
  log: Logger,
  onChange: (containerId: string) => void,
): CgroupWatch {
  const watches = new Map<string, ContainerWatch>();
  let hasWarned = false;

  const warnOnce = (why: string): void => {
    if (hasWarned) return;
    hasWarned = true;
    log.warn("only the sweep finds cgroups below containers; is fs.inotify.max_user_watches too low?", {
      err: why,
    });
  };

  /** True where it was not watched until now. */
  const add = (containerId: string, cgroup: Cgroup): boolean => {
    const watch = watches.get(containerId) ?? {
      cgroups: new Map(),
      onChange: () => onChange(containerId),
    };
    const key = toKey(cgroup);
    if (watch.cgroups.has(key)) return false;
    const added = directories.add(cgroupRoot + cgroup.path, "directories", watch.onChange);
    if (!added.ok) {
      if (added.error.code !== "ENOENT") warnOnce(added.error.message);
      return false;
    }
    watch.cgroups.set(key, added.value);
    watches.set(containerId, watch);
    return true;
  };

  const end = (containerId: string): void => {
    for (const cgroup of watches.get(containerId)?.cgroups.values() ?? []) cgroup.close();
    watches.delete(containerId);
  };

  return {
    begin: (containerId, cgroup) => void add(containerId, cgroup),
    set(containerId, cgroups) {
      let hasNew = false;
      const wanted = new Set<string>();
      for (const cgroup of cgroups) {
        wanted.add(toKey(cgroup));
        if (add(containerId, cgroup)) hasNew = true;
      }
      const watched = watches.get(containerId)?.cgroups;
      if (watched === undefined || watched.size === wanted.size) return hasNew;
      for (const [key, cgroup] of watched) {
        if (wanted.has(key)) continue;
        watched.delete(key);
        cgroup.close();
      }
      return hasNew;
    },
    end,
    close() {
      for (const containerId of [...watches.keys()]) end(containerId);
    },
  };
}

/** A path may lead to another cgroup than before. */
const toKey = ({ path, id }: Cgroup): string => `${path}#${id}`;
