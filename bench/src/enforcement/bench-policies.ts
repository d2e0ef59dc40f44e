// SPDX-License-Identifier: Apache-2.0
// Policies about what the loops do. All but one kind do not match it: another path, another address, another program.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the hooks of a policy are about. */
export type Subject =
  | "system calls"
  | "another system call"
  | "executions and connections"
  | "posted connections"
  | "nothing";

const matchActions = [{ action: "Sigkill" }];

function writeHooks(subject: Subject, number: number): object {
  if (subject === "nothing") return {};
  const onPath = (event: string): object => ({
    ...{ subsystem: "syscalls", event, args: [{ index: 6, type: "string" }] },
    selectors: [
      { matchArgs: [{ index: 6, operator: "Equal", values: [`/opt/data-${number}`] }], matchActions },
    ],
  });
  if (subject === "another system call") return { tracepoints: [onPath("sys_enter_mkdirat")] };
  if (subject === "system calls") {
    const binary = { operator: "In", values: [`/opt/tool-${number}`] };
    return {
      tracepoints: [
        onPath("sys_enter_openat"),
        {
          ...{ subsystem: "syscalls", event: "sys_enter_getpid" },
          selectors: [{ matchBinaries: [binary], matchActions }],
        },
      ],
    };
  }
  const sockaddr = { index: 1, type: "sockaddr" };
  if (subject === "posted connections") {
    const selectors = [{ matchActions: [{ action: "Post" }] }];
    return { kprobes: [{ call: "security_socket_connect", syscall: false, args: [sockaddr], selectors }] };
  }
  const path = { index: 0, operator: "Equal", values: [`/opt/tool-${number}`] };
  const address = { index: 1, operator: "SAddr", values: [`10.0.${number}.0/24`] };
  return {
    kprobes: [
      {
        ...{ call: "security_bprm_check", syscall: false, args: [{ index: 0, type: "linux_binprm" }] },
        selectors: [{ matchArgs: [path], matchActions }],
      },
      {
        ...{ call: "security_socket_connect", syscall: false, args: [sockaddr] },
        selectors: [{ matchArgs: [address], matchActions }],
      },
    ],
  };
}

/** Makes the directory have these policies and no others, each with two rules, for pods with the label `app`. */
export function writePolicies(directory: string, count: number, subject: Subject, app: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  for (let number = 0; number < count; number++) {
    const policy = {
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: `p-${number}` } },
      spec: { podSelector: { matchLabels: { app } }, ...writeHooks(subject, number) },
    };
    writeFileSync(join(directory, `${number}.json`), JSON.stringify(policy));
  }
}
