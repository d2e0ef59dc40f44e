// SPDX-License-Identifier: Apache-2.0

/** The id of a program that a process has begun: no other one on any node has it. `startNs`: since the boot. */
export const toExecId = (nodeName: string, startNs: bigint, pid: number): string =>
  new TextEncoder().encode(`${nodeName}:${startNs}:${pid}`).toBase64();
