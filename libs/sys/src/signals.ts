// SPDX-License-Identifier: Apache-2.0

/** Their default action ends the process (signal(7)); none of the programs has a use for them. */
const unused = ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGIO"] as const; // const: a union of names

/** For a program that containers depend on: a signal that it has no use for does not end it. */
export function ignoreUnusedSignals(onIgnored: (signal: string) => void): void {
  for (const signal of unused) process.on(signal, onIgnored);
}
