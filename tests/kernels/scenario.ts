// SPDX-License-Identifier: Apache-2.0
// One boot's work: containers that are held, allowed and denied, and agents that come and go. Every finding is reported;
// nothing is judged in the virtual machine.
import { createContainerFiles, type GuestContainer } from "./container-files.ts";
import type { CgroupLayout } from "./vm/init-script.ts";
import type { FileSource } from "./vm/initramfs.ts";

const webPolicy = {
  apiVersion: "cilium.io/v1alpha1",
  kind: "TracingPolicy",
  metadata: { name: "web" },
  spec: { podSelector: { matchLabels: { app: "web" } } },
};

const web = {
  uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11",
  name: "web-0",
  namespace: "shop",
  labels: { app: "web" },
};
const db = {
  uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c12",
  name: "db-0",
  namespace: "shop",
  labels: { app: "db" },
};
const job = {
  uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c14",
  name: "job-0",
  namespace: "shop",
  labels: { app: "web" },
};
const system = {
  uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c13",
  name: "dns-0",
  namespace: "kube-system",
  labels: {},
};
const waitLong = ["--grpc-timeout", "15m"];
const giveUp = ["--grpc-timeout", "100ms", "--grpc-timeout-allowed", "100ms"];

export const held: GuestContainer = { name: "held", pod: web, hookFlags: waitLong };
export const beside: GuestContainer = { name: "beside", pod: db, hookFlags: waitLong };
export const unplaced: GuestContainer = {
  ...{ name: "unplaced", pod: job, hookFlags: waitLong, hasCgroupsPath: false },
};
const denied: GuestContainer = { name: "denied", pod: web, hookFlags: giveUp };
const allowed: GuestContainer = { name: "allowed", pod: system, hookFlags: giveUp };

export const scenarioFiles: Readonly<Record<string, FileSource>> = {
  "/etc/tetragon/tetragon.tp.d/web.json": JSON.stringify(webPolicy),
  ...Object.assign({}, ...[held, beside, unplaced, denied, allowed].map(createContainerFiles)),
};

/** The hierarchy that gives the agent its ids; on a v1 host Tetragon's choice, which starts with memory. */
const idRoots: Readonly<Record<CgroupLayout, string>> = {
  v2: "/sys/fs/cgroup",
  v1: "/sys/fs/cgroup/memory",
};

const functions = (idRoot: string): string => `
pins=/sys/fs/bpf/tetragon
agent_flags="--enable-policy-filter --bpf-dir tetragon --sweep-interval 500ms --export-filename /tmp/events"
# start_agent NAME: runs in the background, and listens when this returns.
start_agent() {
  tetragon $agent_flags >/tmp/$1.log 2>&1 &
  agent=$!
  until_true grep -q listening /tmp/$1.log
}
kill_agent() { kill -9 $agent; wait $agent; } 2>/dev/null
# start_container NAME: runs in the background.
start_container() { runc run --bundle /bundles/$1 $1 >/tmp/$1.runc.log 2>&1 & }
is_started() { [ -s /bundles/$1/out/cgroup ]; }
end_container() { touch /bundles/$1/out/end; }
# find_executions POD: lines of the export file.
find_executions() { grep '"process_exec"' /tmp/events | grep ""$1""; }
is_gone() { ! runc state $1; }
# The kernel cuts a command's name after 15 characters.
is_hook_running() { grep -qx tetragon-oci-ho /proc/[0-9]*/comm; }
# find_inner_maps: the ids of the maps that hold the cgroups of one policy each.
find_inner_maps() { bpftool map list | sed -n 's/^\\([0-9]*\\): .* name policy_[0-9]*_map .*/\\1/p'; }
# report_maps NAME: policy_filter_maps, and by its id each map that it points to.
report_maps() {
  result $1.outer "$(bpftool --json map dump pinned $pins/policy_filter_maps)"
  result $1.outer-id "$(bpftool map show pinned $pins/policy_filter_maps | sed -n 's/^\\([0-9]*\\):.*/\\1/p')"
  for id in $(find_inner_maps); do result $1.inner-$id "$(bpftool --json map dump id $id)"; done
}
are_maps_empty() { ! for id in $(find_inner_maps); do bpftool --json map dump id $id; done | grep -q key; }
# report_cgroup CONTAINER: what the kernel says of it, by the lines of its own /proc/PID/cgroup.
report_cgroup() {
  result $1.cgroup-lines "$(cat /bundles/$1/out/cgroup)"
  local path=$(sed -nE 's/^(0:|[0-9]+:memory)://p' /bundles/$1/out/cgroup)
  result $1.cgroup "$path"
  result $1.cgroup-id "$(stat -c %i ${idRoot}$path)"
}
`;

const prepare = `
mkdir -p /rootfs/bin /rootfs/proc /rootfs/out
cp /bin/busybox /rootfs/bin && for applet in sh sleep; do ln -s busybox /rootfs/bin/$applet; done
for bundle in /bundles/*; do mkdir $bundle/out; done
result kernel $(uname -r)
result lsm "$(cat /sys/kernel/security/lsm)"
result btf "$(ls /sys/kernel/btf/vmlinux)"
result hierarchies "$(awk '$3 ~ /^cgroup/ { print $3 }' /proc/mounts | sort -u)"
`;

const hold = `
start_agent first
kill -STOP $agent
start_container held
until_true is_hook_running
sleep 1
result held.acts-before-answer "$(ls /bundles/held/out)"
kill -CONT $agent
until_true is_started held
for name in beside unplaced; do
  start_container $name
  until_true is_started $name
done
for name in held beside unplaced; do report_cgroup $name; done
result status "$(tetragon status --output json --timeout 5m 2>&1)"
report_maps held
`;

/** Where programs in the kernel know containers. */
const exportEvents = `
until_true find_executions ${web.name}
result held.executions "$(find_executions ${web.name})"
`;

const refuseAnother = `
report another timeout 300 tetragon $agent_flags
report another-socket timeout 300 tetragon $agent_flags --server-address unix:///tmp/another.sock
report_maps refused
`;

const killAgent = `
kill_agent
report_maps killed
start_agent second
report_maps adopted
for name in held beside unplaced; do
  end_container $name
  until_true is_gone $name
done
until_true are_maps_empty
report_maps ended
for name in first second; do result $name.log "$(cat /tmp/$name.log)"; done
`;

const decideWithoutAgent = `
kill_agent
for name in denied allowed; do
  start_container $name
  runtime=$!
  until_true eval "is_started $name || ! kill -0 $runtime"
  result $name.acts "$(ls /bundles/$name/out)"
  end_container $name
  wait $runtime
  result $name.exit $?
  result $name.output "$(cat /tmp/$name.runc.log)"
done
`;

export const renderScenario = (cgroups: CgroupLayout): string =>
  [
    ...[functions(idRoots[cgroups]), prepare, hold, cgroups === "v2" ? exportEvents : ""],
    ...[refuseAnother, killAgent, decideWithoutAgent],
  ].join("\n");
