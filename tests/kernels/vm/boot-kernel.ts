// SPDX-License-Identifier: Apache-2.0
import { startProcess } from "../../harness/process.ts";
import { findTool } from "../../harness/programs.ts";
import { createWorkspace } from "../../harness/workspace.ts";
import { readResults, readTail } from "./console.ts";
import type { Kernel } from "./find-kernels.ts";
import { type CgroupLayout, renderInit, renderStart, startScriptPath } from "./init-script.ts";
import { createInitramfs, type FileSource } from "./initramfs.ts";

export interface BootOptions {
  readonly kernel: Kernel;
  readonly cgroups: CgroupLayout;
  /** Shell text that runs when all is mounted; `result`, `report` and `until_true` are there for it. */
  readonly script: string;
  /** What the kernel's command line says about security modules. */
  readonly lsm?: string;
  /** Beside busybox, runc, bpftool, the agent and the hook; by absolute path. */
  readonly files?: Readonly<Record<string, FileSource>>;
  /** The virtual machine is killed then. */
  readonly withinMs?: number;
  /** Gets the console's text as it is written. */
  readonly onConsole?: (text: string) => void;
}

export interface Booted {
  /** All that was written to the serial console. */
  readonly console: string;
  /** What the script reported under this name; throws when it did not. */
  result(name: string): string;
}

/** Long enough for a machine whose processors are busy with something else; on an idle one it takes half a minute. */
export const bootDeadlineMs = 900_000;
const endMark = "script-ended";

/** What differs per architecture. Both are emulated in software: KVM is not available everywhere. */
const machines: Readonly<
  Record<
    Kernel["arch"],
    { readonly qemu: string; readonly argv: readonly string[]; readonly console: string }
  >
> = {
  amd64: { qemu: "qemu-system-x86_64", argv: ["-cpu", "max"], console: "ttyS0" },
  // A processor that nodes have. With `max`, QEMU 7.2 emulates SVE too, and Bun 1.4.5 crashed in it now and then.
  arm64: {
    qemu: "qemu-system-aarch64",
    argv: ["-machine", "virt", "-cpu", "neoverse-n1"],
    console: "ttyAMA0",
  },
};

function renderCommand(kernel: Kernel, initramfs: string, lsm: string): readonly string[] {
  const { qemu, argv, console } = machines[kernel.arch];
  return [
    // One processor: QEMU's emulation may run code that another processor of the machine has just patched, and x86 kernels
    // patch theirs by way of a breakpoint (arch/x86/kernel/alternative.c), which then ends in a panic.
    ...[findTool(qemu), ...argv, "-accel", "tcg", "-smp", "1", "-m", "2048"],
    ...["-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"],
    ...["-kernel", kernel.imagePath, "-initrd", initramfs, "-append"],
    // A panic ends the machine. Only messages as grave as that come between the lines of the script.
    `console=${console} loglevel=2 panic=-1 mitigations=off lsm=${lsm}`,
  ];
}

/** Boots the kernel in QEMU and runs the script as root in it; throws when the machine is off before the script's end. */
export async function bootKernel(options: BootOptions): Promise<Booted> {
  const { kernel, cgroups, script, withinMs = bootDeadlineMs, onConsole } = options;
  const { lsm = "lockdown,yama,bpf" } = options;
  const workspace = createWorkspace("vm");
  try {
    const startScript = [renderStart(cgroups), script, `result ${endMark} yes`, "poweroff -f", ""].join("\n");
    const initramfs = await createInitramfs(workspace.dir, kernel, {
      init: renderInit(),
      files: { ...options.files, [startScriptPath]: startScript },
    });
    const { stdout, stderr, signal } = await startProcess(
      renderCommand(kernel, initramfs, lsm),
      { killAfterMs: withinMs, ...(onConsole === undefined ? {} : { onStdout: onConsole }) },
      workspace,
    ).exited;
    const results = readResults(stdout);
    if (!results.has(endMark)) {
      const end = signal === null ? "ended before its script" : `had not ended after ${withinMs} ms`;
      throw new Error(`the machine with ${kernel.version} ${end}: ${stderr}\n${readTail(stdout)}`);
    }
    return {
      console: stdout,
      result: (name) => {
        const value = results.get(name);
        if (value === undefined) throw new Error(`the script reported no ${name}:\n${readTail(stdout)}`);
        return value;
      },
    };
  } finally {
    await workspace.close();
  }
}
