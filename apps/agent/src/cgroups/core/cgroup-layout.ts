// SPDX-License-Identifier: Apache-2.0
// Chooses the mounted cgroup hierarchy whose ids are used. bpf_get_current_cgroup_id() returns ids of the v2 hierarchy, so
// it is that one wherever it is mounted (v2-only and hybrid hosts); on a v1-only host it is that of the first of the
// controllers below, in Tetragon's order.

const v1Controllers = ["memory", "pids", "cpuset"] as const;

/** Where systemd mounts the v2 hierarchy: alone, or beside the v1 controllers. */
const usualV2Roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

export interface CgroupLayout {
  readonly mode: "v1" | "hybrid" | "v2";
  /** Mount point of the hierarchy whose ids are used. */
  readonly root: string;
  /** Mount points of the version 1 hierarchies beside it. */
  readonly v1Roots: readonly string[];
}

interface Mount {
  readonly point: string;
  readonly type: "cgroup" | "cgroup2";
  readonly controllers: readonly string[];
}

/** `mountinfo`: the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). Undefined where no usable hierarchy is mounted. */
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
    // A later mount hides mounts on the same point and below it. Some boot procedures list the root late: it hides
    // nothing.
    for (const hidden of mounts.keys()) {
      if (hidden === path || (path !== "/" && hidden.startsWith(`${path}/`))) mounts.delete(hidden);
    }
    // A bind mount of an inner cgroup is not a hierarchy's root.
    if (root !== "/" || (type !== "cgroup" && type !== "cgroup2")) continue;
    mounts.set(path, { point: path, type, controllers: options.split(",") });
  }
  return [...mounts.values()];
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
