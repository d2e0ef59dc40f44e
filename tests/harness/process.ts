// SPDX-License-Identifier: Apache-2.0
import type { Workspace } from "./workspace.ts";

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment; by default only a PATH, so that nothing of the test's own leaks in. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for stdin, or "open" for a pipe that only `sendInput` writes and closes. Nothing by default. */
  readonly stdin?: string | Uint8Array | "open";
  /** A guard: the process is killed then, and its result has the signal. */
  readonly killAfterMs?: number;
  /** Gets stdout as it comes, beside its being collected. */
  readonly onStdout?: (text: string) => void;
}

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface RunningProcess {
  readonly pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Writes all of stdin and closes it; only for stdin "open". */
  sendInput(text: string): void;
  readonly exited: Promise<Finished>;
  hasExited(): boolean;
}

export const minimalEnv: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

async function collect(
  stream: ReadableStream<Uint8Array>,
  into: { text: string },
  onText?: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    into.text += text;
    onText?.(text);
  }
}

/** Starts a program; with a workspace it is killed when the workspace closes. */
export function startProcess(
  argv: readonly string[],
  options: ProcessOptions = {},
  workspace?: Workspace,
): RunningProcess {
  const stdin = options.stdin;
  const bytes = typeof stdin === "string" && stdin !== "open" ? new TextEncoder().encode(stdin) : stdin;
  const out = { text: "" };
  const err = { text: "" };
  const startedMs = performance.now();
  const child = Bun.spawn([...argv], {
    cwd: options.cwd ?? "/",
    env: { ...(options.env ?? minimalEnv) },
    stdin: bytes === "open" ? "pipe" : bytes instanceof Uint8Array ? bytes : "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(options.killAfterMs === undefined ? {} : { timeout: options.killAfterMs, killSignal: "SIGKILL" }),
  });
  const ended = child.exited.then(() => performance.now() - startedMs);
  const collected = Promise.all([collect(child.stdout, out, options.onStdout), collect(child.stderr, err)]);
  const exited = ended.then(async (elapsedMs) => {
    // A grandchild may hold the pipes open for longer than the program lives.
    await Promise.race([collected, Bun.sleep(1_000)]);
    return {
      exitCode: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
      stdout: out.text,
      stderr: err.text,
      elapsedMs,
    };
  });
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  workspace?.onClose(async () => {
    if (hasExited()) return;
    child.kill("SIGCONT");
    child.kill("SIGKILL");
    await child.exited;
  });
  return {
    pid: child.pid,
    stdout: () => out.text,
    stderr: () => err.text,
    signal: (name) => child.kill(name),
    sendInput: (text) => {
      if (child.stdin === undefined || typeof child.stdin === "number") throw new Error("stdin is not open");
      child.stdin.write(text);
      child.stdin.end();
    },
    exited,
    hasExited,
  };
}

export function runProcess(argv: readonly string[], options: ProcessOptions = {}): Promise<Finished> {
  return startProcess(argv, options).exited;
}
