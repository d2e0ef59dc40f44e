// SPDX-License-Identifier: Apache-2.0
// The programs on stock kernels, booted in QEMU: what holds on the kernel that runs the other tests, which has hybrid
// cgroups, holds on pure cgroup v2, on v1 alone, and on arm64. One boot per kernel; each test judges one finding of it.
import { beforeAll, describe, expect, test } from "bun:test";
import { type MapEntry, readMapOfMaps } from "../harness/map-entries.ts";
import { cgroupPathOf } from "./container-files.ts";
import { beside, held, renderScenario, scenarioFiles, unplaced } from "./scenario.ts";
import { type Booted, bootDeadlineMs, bootKernel } from "./vm/boot-kernel.ts";
import { findKernel, type Kernel, type KernelName } from "./vm/find-kernels.ts";
import type { CgroupLayout } from "./vm/init-script.ts";

const boots: readonly { readonly name: KernelName; readonly cgroups: CgroupLayout }[] = [
  { name: "6.1-amd64", cgroups: "v2" },
  { name: "6.12-amd64", cgroups: "v2" },
  { name: "6.1-arm64", cgroups: "v2" },
  { name: "6.1-amd64", cgroups: "v1" },
];

for (const { name, cgroups } of boots) {
  const kernel = findKernel(name);
  if ("unavailable" in kernel) {
    test.skip(`Linux ${name} with cgroup ${cgroups}: its package could not be had: ${kernel.unavailable}`, () => {});
  } else {
    describe(`Linux ${kernel.version} with cgroup ${cgroups} alone`, () => testKernel(kernel, cgroups));
  }
}

const allPods = 1n;
const webPolicy = 2n;

function testKernel(kernel: Kernel, cgroups: CgroupLayout): void {
  let vm: Booted;

  beforeAll(async () => {
    vm = await bootKernel({ kernel, cgroups, files: scenarioFiles, script: renderScenario(cgroups) });
  }, bootDeadlineMs + 60_000);

  const parseEntries = (name: string): readonly MapEntry[] => JSON.parse(vm.result(name));
  const readMaps = (moment: string) =>
    readMapOfMaps(parseEntries(`${moment}.outer`), (id) => parseEntries(`${moment}.inner-${id}`));
  const idOf = (container: string): bigint => BigInt(vm.result(`${container}.cgroup-id`));

  test("is the kernel that was booted, with that kind of hierarchy and no other", () => {
    expect(vm.result("kernel")).toBe(kernel.version);
    expect(vm.result("hierarchies")).toBe(cgroups === "v2" ? "cgroup2" : "cgroup");
  });

  test("has what programs in the kernel need: BPF LSM and the types of the kernel", () => {
    expect(vm.result("lsm").split(",")).toContain("bpf");
    expect(vm.result("btf")).toBe("/sys/kernel/btf/vmlinux");
  });

  test("a container executes nothing of its own before the agent's answer", () => {
    expect(vm.result("held.acts-before-answer")).toBe("");
  });

  test.each([held, beside])("the runtime puts $name into the cgroup of its spec", (container) => {
    expect(vm.result(`${container.name}.cgroup`)).toBe(cgroupPathOf(container));
  });

  if (cgroups === "v2") {
    test("the kernel names the cgroup of a process in a single line", () => {
      expect(vm.result("unplaced.cgroup-lines")).toBe(`0::${vm.result("unplaced.cgroup")}`);
    });
  }

  test.each([held, beside, unplaced])("the agent has pod, cgroup and cgroup id of $name", (container) => {
    const { name, pod } = container;
    const { containers } = JSON.parse(vm.result("status"));
    expect(containers).toContainEqual(
      expect.objectContaining({
        ...{ name, podName: pod.name, podUid: pod.uid, podNamespace: pod.namespace, podLabels: pod.labels },
        ...{ cgroupPath: vm.result(`${name}.cgroup`), cgroupId: String(idOf(name)) },
        ...{ state: "released", source: "hook" },
      }),
    );
  });

  if (cgroups === "v2") {
    test("the first program of a container is in the agent's export file", () => {
      const [execution] = vm.result(`${held.name}.executions`).split("\n");
      const { namespace, name, labels } = held.pod;
      expect(JSON.parse(execution ?? "")).toMatchObject({
        process_exec: {
          process: {
            ...{ binary: "/bin/busybox", arguments: expect.stringContaining("/out/first"), cwd: "/", uid: 0 },
            pod: { namespace, name, pod_labels: labels, container: { name: held.name } },
          },
        },
      });
    });
  }

  test.each(["first", "second"])("the %s agent says what it cannot do, and that alone", (name) => {
    const lines = vm.result(`${name}.log`).split("\n");
    const problems = lines.filter((line) => /level=(warn|error)/.test(line));
    const reason = 'err="they need the cgroup hierarchy of version 2, which is not mounted"';
    expect(problems).toEqual(
      cgroups === "v2"
        ? []
        : [
            expect.stringContaining(`policies with hooks cannot be in force" ${reason}`),
            expect.stringContaining(`there are no events of processes" ${reason}`),
          ],
    );
  });

  test("each policy's map has the cgroups of the containers that it selects, and no other", () => {
    expect(readMaps("held")).toEqual(
      new Map([
        [allPods, new Set(["held", "beside", "unplaced"].map(idOf))],
        [webPolicy, new Set(["held", "unplaced"].map(idOf))],
      ]),
    );
  });

  test.each(["another", "another-socket"])(
    "a second agent does not start on the first one's maps (%s)",
    (name) => {
      const refusal = { exit: vm.result(`${name}.exit`), output: vm.result(name) };
      expect(refusal).toEqual({ exit: "1", output: expect.stringContaining("is in use by") });
      expect(vm.result("refused.outer-id")).toBe(vm.result("held.outer-id"));
      expect(readMaps("refused")).toEqual(readMaps("held"));
    },
  );

  test("the maps stay as they are when the agent is killed", () => {
    expect(readMaps("killed")).toEqual(readMaps("held"));
  });

  test("the next agent takes over the same maps with all that is in them", () => {
    expect(vm.result("adopted.outer-id")).toBe(vm.result("held.outer-id"));
    expect(parseEntries("adopted.outer")).toEqual(parseEntries("held.outer"));
    expect(readMaps("adopted")).toEqual(readMaps("held"));
  });

  test("a container that has ended leaves the maps that were taken over", () => {
    expect(readMaps("ended")).toEqual(new Map([allPods, webPolicy].map((id) => [id, new Set()])));
  });

  test("without an agent a container is denied, and executes nothing", () => {
    expect(vm.result("denied.exit")).toBe("1");
    expect(vm.result("denied.acts")).toBe("");
    expect(vm.result("denied.output")).toContain("failing container: connecting to agent");
  });

  test("without an agent a container of an allowed namespace runs", () => {
    expect(vm.result("allowed.acts").split("\n").toSorted()).toEqual(["cgroup", "first"]);
    expect(vm.result("allowed.exit")).toBe("0");
  });
}
