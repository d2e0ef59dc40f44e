// SPDX-License-Identifier: Apache-2.0
// Hooks of all kinds on stock kernels: their verifiers accept the programs, and rules stop processes of one container and
// of no other; processes are reported as they are. What each kernel can do is printed as a table.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createWorkspace } from "../harness/workspace.ts";
import { compileFixture } from "./compile-fixture.ts";
import { findOutcome, kernelColumns, type Outcome, renderFeatureTable } from "./feature-table.ts";
import { type HookCase, hookCases, prepareCases } from "./hook-cases.ts";
import { processCases, recordProcesses } from "./process-cases.ts";
import { expectReports, readReports } from "./process-reports.ts";
import { type Booted, bootDeadlineMs, bootKernel } from "./vm/boot-kernel.ts";
import { findKernel, type Kernel } from "./vm/find-kernels.ts";
import type { FileSource } from "./vm/initramfs.ts";

const workspace = createWorkspace("vmhooks");
const observed = new Map<string, ReadonlyMap<string, Outcome>>();
afterAll(async () => {
  if (observed.size > 0) console.log(`\n${renderFeatureTable(observed)}\n`);
  await workspace.close();
});

for (const column of kernelColumns) {
  const kernel = findKernel(column.kernel);
  if ("unavailable" in kernel) {
    test.skip(`${column.title}: its package could not be had: ${kernel.unavailable}`, () => {});
  } else {
    describe(`Linux ${kernel.version} with lsm=${column.lsm}`, () => testKernel(kernel, column));
  }
}

const hooks = (act: string): string => `/root/hooks ${act} /sys/fs/bpf/hooks /sys/fs/cgroup /box`;
const attempt = ({ name, command, before = ":" }: HookCase): string => `
${before}; report box.${name} enter box sh -c '${command}'
${before}; report beside.${name} enter beside sh -c '${command}'`;
const script = `
ip link set lo up
mkdir -p /sys/fs/cgroup/box /sys/fs/cgroup/beside
chmod +x /root/hooks
${prepareCases}
# enter CGROUP COMMAND...: executes the command in the cgroup.
enter() { local dir=/sys/fs/cgroup/$1; shift; sh -c 'echo $$ >$0/cgroup.procs; exec "$@"' $dir "$@"; }
report probe ${hooks("probe")}
report verify ${hooks("verify")}
${recordProcesses}
report begin ${hooks("begin")}
${hookCases.map(attempt).join("\n")}
report pins ls /sys/fs/bpf/hooks
report count ${hooks("count")}
tetragon --enable-policy-filter --export-filename /tmp/events >/tmp/agent.log 2>&1 &
until_true grep -q listening /tmp/agent.log
result agent "$(cat /tmp/agent.log)"
`;

function testKernel(kernel: Kernel, column: (typeof kernelColumns)[number]): void {
  let vm: Booted;
  beforeAll(async () => {
    const files: Record<string, FileSource> = {};
    for (const name of ["hooks", "processes"])
      files[`/root/${name}`] = { from: await compileFixture(workspace, name, kernel.arch) };
    vm = await bootKernel({ kernel, cgroups: "v2", lsm: column.lsm, files, script });
  }, bootDeadlineMs + 60_000);

  /** The lines of JSON that the program has printed, as one object. */
  const read = (act: string): Readonly<Record<string, unknown>> =>
    Object.assign(
      {},
      ...vm
        .result(act)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
    );

  test("what it can do is found out by trying", () => {
    const { lsm, lsmHooks, kprobe, tracepoint, rawTracepoint, cgroupProgram } = read("probe");
    expect({ kprobe, tracepoint, rawTracepoint, cgroupProgram }).toEqual({
      ...{ kprobe: "yes", tracepoint: "yes", rawTracepoint: "yes", cgroupProgram: "yes" },
    });
    expect([lsm === "yes", (lsmHooks as readonly unknown[]).length > 50]).toEqual([
      column.hasLsm,
      column.hasLsm,
    ]); // it is an array
    if (!column.hasLsm) expect(lsm).toMatch(/\(bpf_lsm\)$/);
  });

  test("its verifier accepts the program of each LSM hook", () => {
    const others = Object.entries(read("verify")).filter(([, what]) => what !== "attached");
    expect(others).toEqual([]);
    expect(Object.keys(read("verify")).length > 50).toBe(column.hasLsm);
  });

  test("connections and bind(2) have the strongest program, and no other", () => {
    const pins = vm.result("pins").split("\n");
    const weaker = pins.filter((pin) => /^(connect|send|bind)_ipv[46]-/.test(pin));
    const stronger = pins.filter((pin) => /^hook_lsm-[23]_/.test(pin));
    expect([weaker.length, stronger.length]).toEqual(column.hasLsm ? [0, 3] : [6, 0]);
  });

  const note = (feature: string, outcome: Outcome): void => {
    observed.set(column.title, new Map(observed.get(column.title)).set(feature, outcome));
  };

  /** What has happened to the processes of the container. */
  const observe = ({ name }: HookCase): Outcome => {
    if (read("begin")[name] !== "attached") return "not here";
    const exit = vm.result(`box.${name}.exit`);
    if (exit === "0") return "nothing";
    const [signals = 0, errors = 0] = read("count")[name] as readonly number[]; // as the program prints it
    if (errors > 0) return exit === "137" ? "killed at once" : "prevented";
    return signals > 0 ? "signalled" : "nothing";
  };

  test.each(hookCases.map((hookCase) => [hookCase.feature, hookCase] as const))("%s", (_, hookCase) => {
    const { name } = hookCase;
    const outcome = observe(hookCase);
    note(hookCase.feature, outcome);
    const said = [vm.result(`box.${name}`), vm.result(`beside.${name}`)];
    expect({ outcome, begun: read("begin")[name], said }).toMatchObject({
      outcome: findOutcome(hookCase, column),
    });
    expect({ said, exit: vm.result(`beside.${name}.exit`) }).toMatchObject({ exit: "0" });
    if (outcome === "not here") expect(read("begin")[name]).toMatch(/\(bpf_lsm\)$/);
  });

  test("its verifier accepts the programs that report processes", () => {
    const names = ["tell_exec", "tell_exit", "tell_fork", "tell_cgroup_gone"];
    expect(vm.result("processes.begin").split("\n")).toEqual(names.map((name) => `${name}: attached`));
  });

  test.each(processCases.map((processCase) => [processCase.feature, processCase] as const))(
    "%s",
    (_, one) => {
      const reports = readReports(vm).filter(({ kind }) => kind === one.name);
      note(one.feature, reports.length > 0 ? "reported" : "nothing");
      expect(reports).toMatchObject(expectReports(vm)[one.name]);
    },
  );

  test("the agent attaches all of its programs", () => {
    expect(vm.result("agent")).toContain("enforcement=on");
    expect(vm.result("agent")).not.toMatch(/level=(warn|error)/);
  });
}
