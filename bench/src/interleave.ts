// SPDX-License-Identifier: Apache-2.0
// Programs are timed in turns, so that whatever else the machine does falls on all of them alike.

export interface Command {
  readonly name: string;
  readonly argv: readonly string[];
  readonly stdinPath: string;
  readonly exitCode: number;
  /** Beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Samples {
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

const path = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const warmUpRounds = 5;

function runOnce({ name, argv, stdinPath, exitCode, env }: Command): { wallMs: number; cpuMs: number } {
  const startedNs = Bun.nanoseconds();
  const result = Bun.spawnSync([...argv], {
    cwd: "/",
    env: { ...path, ...env },
    stdin: Bun.file(stdinPath),
    stdout: "ignore",
    stderr: "ignore",
  });
  const wallMs = (Bun.nanoseconds() - startedNs) / 1e6;
  if (result.exitCode !== exitCode) throw new Error(`${name} ended with ${result.exitCode}, not ${exitCode}`);
  return { wallMs, cpuMs: Number(result.resourceUsage.cpuTime.total) / 1_000 };
}

/** One run of each command a round. */
export function measureInterleaved(commands: readonly Command[], rounds: number): readonly Samples[] {
  const samples = commands.map((): Samples => ({ wallMs: [], cpuMs: [] }));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [index, command] of commands.entries()) {
      const { wallMs, cpuMs } = runOnce(command);
      if (round < 0) continue;
      samples[index]?.wallMs.push(wallMs);
      samples[index]?.cpuMs.push(cpuMs);
    }
  }
  return samples;
}

/**
 * Peak resident memory in MB. A child's peak counts that of the process that forked it, so a small one must fork:
 * busybox.
 */
export function measurePeakMb(command: Command, rounds: number): readonly number[] {
  return Array.from({ length: rounds }, () => {
    const result = Bun.spawnSync(["/bin/busybox", "time", "-f", "%M", ...command.argv], {
      cwd: "/",
      env: { ...path, ...command.env },
      stdin: Bun.file(command.stdinPath),
      stdout: "ignore",
      stderr: "pipe",
    });
    const kb = Number(result.stderr.toString().trimEnd().split("\n").at(-1));
    if (!Number.isFinite(kb)) throw new Error(`no peak in: ${result.stderr}`);
    return kb / 1_024;
  });
}
