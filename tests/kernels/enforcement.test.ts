// SPDX-License-Identifier: Apache-2.0
// The programs of bpf/ on stock kernels: their verifiers accept them, and rules are in force, by signal and by BPF LSM.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createWorkspace } from "../harness/workspace.ts";
import { compileFixture } from "./compile-fixture.ts";
import { type Booted, bootDeadlineMs, bootKernel } from "./vm/boot-kernel.ts";
import { findKernel, type Kernel, type KernelName } from "./vm/find-kernels.ts";

const workspace = createWorkspace("vmbpf");
afterAll(() => workspace.close());

const boots: readonly { readonly name: KernelName; readonly lsm: string }[] = [
  { name: "6.1-amd64", lsm: "lockdown,yama,bpf" },
  { name: "6.12-amd64", lsm: "lockdown,yama,bpf" },
  { name: "6.12-amd64", lsm: "lockdown,yama" },
  { name: "6.1-arm64", lsm: "lockdown,yama,bpf" },
];

for (const { name, lsm } of boots) {
  const kernel = findKernel(name);
  if ("unavailable" in kernel) {
    test.skip(`Linux ${name}: its package could not be had: ${kernel.unavailable}`, () => {});
  } else {
    describe(`Linux ${kernel.version} with lsm=${lsm}`, () => testKernel(kernel, lsm));
  }
}

const network = "connect_ipv4 connect_ipv6 send_ipv4 send_ipv6 bind_ipv4 bind_ipv6";
const enforce = "/root/enforce /sys/fs/bpf/enforcement /sys/fs/cgroup /box";
const script = `
ip link set lo up
mkdir -p /sys/fs/cgroup/box/sub /sys/fs/cgroup/beside /forbidden
cp /bin/busybox /forbidden/touch
chmod +x /root/enforce
# enter CGROUP COMMAND...: executes the command in the cgroup.
enter() { local dir=/sys/fs/cgroup/$1; shift; sh -c 'echo $$ >$0/cgroup.procs; exec "$@"' $dir "$@"; }
attempt() {
  for where in box box/sub beside; do
    local name=$1.\${where##*/}
    report $name.exec enter $where /forbidden/touch /tmp/mark
    result $name.mark "$(ls /tmp/mark 2>&1)"
    rm -f /tmp/mark
    report $name.connect enter $where nc 127.0.0.2 9
    report $name.mapped enter $where nc ::ffff:127.0.0.2 9
    report $name.range enter $where nc 127.0.0.3 85
    report $name.outside enter $where nc 127.0.0.3 90
  done
}
report probe ${enforce}
report signal.attach ${enforce} kill_exec kill_script ${network}
attempt signal
report lsm.attach ${enforce} deny_exec ${network}
attempt lsm
report adopted.attach ${enforce} deny_exec ${network}
`;

function testKernel(kernel: Kernel, lsm: string): void {
  const hasLsm = lsm.includes("bpf");
  const isArm = kernel.arch === "arm64";
  let vm: Booted;
  beforeAll(async () => {
    const files = { "/root/enforce": { from: await compileFixture(workspace, "enforce", kernel.arch) } };
    vm = await bootKernel({ kernel, cgroups: "v2", lsm, files, script });
  }, bootDeadlineMs + 60_000);

  const attached = (moment: string): readonly string[] => vm.result(`${moment}.attach`).split("\n");
  const all = (exec: string, what: string): readonly string[] =>
    `${exec} ${network}`.split(" ").map((name) => `${name}: ${what}`);

  test("what it can do is found out by trying", () => {
    const probed = JSON.parse(vm.result("probe"));
    expect(probed).toMatchObject({
      ...{ bpf_raw_tracepoint: "yes", bpf_tracepoint: "yes", bpf_cgroup_connect: "yes", bpf_kprobe: "yes" },
    });
    expect([probed.bpf_fentry === "yes", probed.bpf_lsm === "yes"]).toEqual([!isArm, hasLsm && !isArm]);
    if (!hasLsm)
      expect(probed.bpf_lsm).toBe("the kernel runs without BPF LSM: add bpf to lsm= on its command line");
  });

  test("the verifier accepts the programs", () => {
    expect(attached("signal")).toEqual(all("kill_exec kill_script", "attached"));
  });

  const testAttempts = (moment: string, exec: string, exit: string): void => {
    test.each(["box", "sub"])(
      `${moment}: an execution in the cgroup %p ends before it does anything`,
      (cgroup) => {
        expect(vm.result(`${moment}.${cgroup}.exec`)).toContain(exec);
        expect(vm.result(`${moment}.${cgroup}.exec.exit`)).toBe(exit);
        expect(vm.result(`${moment}.${cgroup}.mark`)).toContain("No such file");
      },
    );
    test.each(["box", "sub"])(`${moment}: a connection from the cgroup %p is not permitted`, (cgroup) => {
      for (const how of ["connect", "mapped"])
        expect(vm.result(`${moment}.${cgroup}.${how}`)).toContain("Operation not permitted");
    });
    test.each(["box", "sub"])(
      `${moment}: the rule's error is that of the call in the cgroup %p`,
      (cgroup) => {
        expect(vm.result(`${moment}.${cgroup}.range`)).toContain("Permission denied");
        expect(vm.result(`${moment}.${cgroup}.outside`)).toContain("Connection refused");
      },
    );
    test(`${moment}: beside the container nothing is denied`, () => {
      expect(vm.result(`${moment}.beside.exec.exit`)).toBe("0");
      expect(vm.result(`${moment}.beside.mark`)).toBe("/tmp/mark");
      for (const how of ["connect", "mapped", "range"])
        expect(vm.result(`${moment}.beside.${how}`)).toContain("Connection refused");
    });
  };
  testAttempts("signal", "Killed", "137");

  if (hasLsm && !isArm) {
    test("a program of BPF LSM takes the place of the signal, and the others are adopted", () => {
      const [first, ...others] = attached("lsm");
      expect(first).toBe("deny_exec: attached");
      expect(others).toEqual(all("", "adopted").slice(1));
      expect(attached("adopted")).toEqual(all("deny_exec", "adopted"));
    });
    testAttempts("lsm", "Operation not permitted", "126");
  }
}
