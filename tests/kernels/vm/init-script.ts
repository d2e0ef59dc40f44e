// SPDX-License-Identifier: Apache-2.0

export type CgroupLayout = "v2" | "v1";

/** What `renderStart` begins lies there, and ends with the script of the boot. */
export const startScriptPath = "/etc/start-script";

/** The one v2 hierarchy with what kubelet and runtimes use of it, or a v1 hierarchy per controller and no v2 at all. */
const cgroupMounts: Readonly<Record<CgroupLayout, string>> = {
  v2: `mount -t cgroup2 cgroup2 /sys/fs/cgroup
for controller in cpuset cpu memory pids; do echo +$controller >/sys/fs/cgroup/cgroup.subtree_control; done`,
  v1: `mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
for controller in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
  mkdir /sys/fs/cgroup/$controller && mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller
done
mkdir /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd`,
};

/**
 * PID 1 of the virtual machine. The root is put on a mount of its own first: pivot_root(2), which runc needs, refuses the
 * kernel's initial root (fs/namespace.c, "root_mnt … not attached"), and a bind mount of it is enough.
 */
export const renderInit = (): string => `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /root /whole
/bin/busybox --install -s /bin
mount --bind / /whole
cd /whole
mount --move . /
exec chroot . /bin/sh ${startScriptPath}
`;

/** Mounts what a host has mounted, then what shell scripts report their findings with. */
export const renderStart = (
  cgroups: CgroupLayout,
): string => `export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /var && ln -s /run /var/run
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
mount -t tracefs tracefs /sys/kernel/tracing
${cgroupMounts[cgroups]}
cd /root

# result NAME WORD...: one finding. A value of several lines is several lines of one name.
result() { local name=$1; shift; echo "$*" | sed "s/^/RESULT $name=/"; }
# report NAME COMMAND...: its whole output, and its exit code as NAME.exit.
report() { local name=$1 code; shift; "$@" >/tmp/report 2>&1; code=$?; result $name "$(cat /tmp/report)"; result $name.exit $code; }
# until_true COMMAND...: waits until the command succeeds. When it does not within five minutes, the machine ends there.
until_true() {
  local end=$(($(date +%s) + 300))
  until "$@" >/dev/null 2>&1; do
    [ $(date +%s) -lt $end ] || { tail -n 20 /tmp/*.log; echo "not seen in time: $*"; sleep 1; poweroff -f; }
    sleep 0.1
  done
}
`;
