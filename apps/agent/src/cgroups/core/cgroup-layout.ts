// SPDX-License-Identifier: Apache-2.0
// Which mounted cgroup hierarchy gives the ids. bpf_get_current_cgroup_id() speaks of the v2 hierarchy, so
// that is the one wherever it is mounted (v2-only and hybrid hosts); on a v1-only host it is the first of the
// controllers below, the order in which Tetragon picks one.

const v1Controllers = ["memory", "pids", "cpuset"] as const;

/** Where systemd mounts the v2 hierarchy: alone, or beside the v1 controllers. */
const usualV2Roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

export interface CgroupLayout {
  readonly mode: "v1" | "hybrid" | "v2";
  /** Mount point of the hierarchy that gives the ids. */
  readonly root: string;
  /** Mount points of the version 1 hierarchies beside it. */
  readonly v1Roots: readonly string[];
}

interface Mount {
  readonly point: string;
  readonly type: "cgroup" | "cgroup2";
  readonly controllers: readonly string[];
}

/** Reads the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)); undefined when nothing useful is mounted. */
export function findCgroupLayout(mountinfo: string): CgroupLayout | undefined {
  const mounts = parseCgroupMounts(mountinfo);
  const v2 = mounts.filter(({ type }) => type === "cgroup2");
  const v1 = mounts.filter(({ type }) => type === "cgroup");
  const root = usualV2Roots.find((usual) => v2.some(({ point }) => point === usual)) ?? v2[0]?.point;
  const v1Roots = v1.map(({ point }) => point).filter((point) => point !== root);
  if (root !== undefined) return { mode: v1.length === 0 ? "v2" : "hybrid", root, v1Roots };
  for (const controller of v1Controllers) {
    const mount = v1.find(({ controllers }) => controllers.includes(controller));
    if (mount !== undefined) {
      return { mode: "v1", root: mount.point, v1Roots: v1Roots.filter((point) => point !== mount.point) };
    }
  }
  return undefined;
}

function parseCgroupMounts(mountinfo: string): readonly Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, point] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (point === undefined) continue;
    const path = unescapePath(point);
    // A later mount hides what was mounted on the same point and below it. The root is listed late by some
    // ways of booting, and hides nothing.
    for (const hidden of mounts.keys()) {
      if (hidden === path || (path !== "/" && hidden.startsWith(`${path}/`))) mounts.delete(hidden);
    }
    // A bind mount of an inner cgroup is no root.
    if (root !== "/" || (type !== "cgroup" && type !== "cgroup2")) continue;
    mounts.set(path, { point: path, type, controllers: options.split(",") });
  }
  return [...mounts.values()];
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
