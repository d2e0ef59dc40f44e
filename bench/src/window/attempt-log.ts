// SPDX-License-Identifier: Apache-2.0
// What a container wrote of its attempts (attempts.c), and what became of it.

/** What a container does first, and then again and again. */
export const actions = ["exec", "connect", "call"] as const;
export type Action = (typeof actions)[number];

export interface Attempt {
  readonly beganNs: bigint;
  readonly endedNs: bigint;
  readonly isRefused: boolean;
}

/** One container. */
export interface Window {
  readonly action: Action;
  /**
   * stopped: killed, or its attempts fail. open: attempts went through until the program's own end. not-started: the hook
   * denied it, or the runtime failed.
   */
  readonly end: "stopped" | "open" | "not-started";
  /** What the runtime said last, of a container that did not start; empty for others. */
  readonly startError: string;
  /** Attempts after which the program went on. */
  readonly through: number;
  /** From the first attempt to the end of the last one that went through; 0 where none did. */
  readonly openMs: number;
  /** Attempts that went through after one that was refused. */
  readonly reopened: number;
  /** Of the first attempt, where it wrote one. */
  readonly firstNs: bigint | undefined;
  /** Of the last attempt that went through. */
  readonly lastNs: bigint | undefined;
}

/** The runtime's end of a container. */
interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A line that the program was killed in the middle of does not count. */
export function parseAttempts(text: string): readonly Attempt[] {
  return [...text.matchAll(/^(\d+) (\d+) (\d+)\n/gm)].map(([, began = "", ended = "", result]) => ({
    beganNs: BigInt(began),
    endedNs: BigInt(ended),
    isRefused: result !== "0",
  }));
}

/** 128 + SIGKILL, as runc ends when the container's PID 1 was killed. */
const KILLED = 137;

export function judge(action: Action, { exitCode, stdout, stderr }: Ended): Window {
  const attempts = parseAttempts(stdout);
  const through = attempts.filter(({ isRefused }) => !isRefused);
  const firstRefused = attempts.findIndex(({ isRefused }) => isRefused);
  const first = attempts[0];
  const last = through.at(-1);
  const isDeniedExec = attempts.length === 0 && /exec .*: operation not permitted/.test(stderr);
  const isStopped = exitCode === KILLED || attempts.at(-1)?.isRefused === true || isDeniedExec;
  const end = isStopped ? "stopped" : attempts.length === 0 ? "not-started" : "open";
  return {
    ...{ action, end },
    startError: end === "not-started" ? (stderr.trim().split("\n").at(-1) ?? "") : "",
    through: through.length,
    openMs: first === undefined || last === undefined ? 0 : Number(last.endedNs - first.beganNs) / 1e6,
    reopened: firstRefused < 0 ? 0 : attempts.slice(firstRefused).filter((one) => !one.isRefused).length,
    firstNs: first?.beganNs,
    lastNs: last?.endedNs,
  };
}
