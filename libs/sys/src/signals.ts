// SPDX-License-Identifier: Apache-2.0

/** Signals that end a process by default (signal(7)) and that the programs do not use. */
const unused = ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGIO"] as const; // const: a union of names

/** Ignores unused signals, so that they do not end a program on which containers depend. */
export function ignoreUnusedSignals(onIgnored: (signal: string) => void): void {
  for (const signal of unused) process.on(signal, onIgnored);
}
