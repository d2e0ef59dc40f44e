// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Action } from "./attempt-log.ts";

/** Labels of the pods that the policies are about. */
export const podLabels = { app: "web" };

/** Where the program is within the container, once for the action that is forbidden by its path. */
export const paths = { forbidden: "/forbidden/attempts", allowed: "/bin/attempts" };
/** In the container, on the host beside its bundle. */
const fifo = "/out/fifo";
const address = "127.0.0.2";

const toNumber = (dotted: string): number =>
  dotted.split(".").reduce((number, part) => number * 256 + Number(part), 0);

/** Arguments of attempts.c. */
export const targets: Readonly<Record<Action, string>> = {
  exec: paths.forbidden,
  connect: String(toNumber(address)),
  call: fifo,
};

const hooks: Readonly<Record<Action, object>> = {
  exec: {
    lsmhooks: [
      {
        hook: "bprm_check_security",
        args: [{ index: 0, type: "linux_binprm" }],
        selectors: [
          {
            matchArgs: [{ index: 0, operator: "Equal", values: [paths.forbidden] }],
            matchActions: [{ action: "Sigkill" }],
          },
        ],
      },
    ],
  },
  connect: {
    kprobes: [
      {
        call: "security_socket_connect",
        syscall: false,
        args: [{ index: 1, type: "sockaddr" }],
        selectors: [
          {
            matchArgs: [{ index: 1, operator: "SAddr", values: [address] }],
            matchActions: [{ action: "Override", argError: -1 }],
          },
        ],
      },
    ],
  },
  call: {
    tracepoints: [
      {
        subsystem: "syscalls",
        event: "sys_enter_mknodat",
        selectors: [{ matchActions: [{ action: "Sigkill" }] }],
      },
    ],
  },
};

/** Writes the policies, each for the pods with the labels; their names. */
export function writePolicies(directory: string, wanted: readonly Action[]): readonly string[] {
  mkdirSync(directory);
  return wanted.map((action) => {
    const policy = {
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: `no-${action}` } },
      spec: { podSelector: { matchLabels: podLabels }, ...hooks[action] },
    };
    writeFileSync(join(directory, `${action}.json`), JSON.stringify(policy));
    return policy.metadata.name;
  });
}
