// SPDX-License-Identifier: Apache-2.0

/** A policy about pods with the label app=web. */
export const toPolicy = (name: string, spec: object): string =>
  JSON.stringify({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy" },
    ...{ metadata: { name }, spec: { podSelector: { matchLabels: { app: "web" } }, ...spec } },
  });

/** Kills what executes these paths: one hook for each, with a selector that is not about it before. */
export const forbidExecution = (...paths: readonly string[]): object => ({
  lsmhooks: paths.map((path) => ({
    hook: "bprm_check_security",
    args: [{ index: 0, type: "linux_binprm" }],
    selectors: [
      {
        matchArgs: [{ index: 0, operator: "Equal", values: ["/nowhere"] }],
        matchActions: [{ action: "NoPost" }],
      },
      {
        matchArgs: [{ index: 0, operator: "Prefix", values: [path] }],
        matchActions: [{ action: "Sigkill" }],
      },
    ],
  })),
});

/** Connections to this address fail with EPERM. */
export const forbidConnection = (address: string): object => ({
  kprobes: [
    {
      ...{ call: "security_socket_connect", syscall: false, args: [{ index: 1, type: "sockaddr" }] },
      selectors: [
        {
          matchArgs: [{ index: 1, operator: "DAddr", values: [address] }],
          matchActions: [{ action: "Override", argError: -1 }],
        },
      ],
    },
  ],
});
