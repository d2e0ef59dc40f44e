// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { type Ended, runInCgroup } from "../harness/enter-cgroup.ts";
import type { Workspace } from "../harness/workspace.ts";

/** A cgroup that the agent has on record as a container of the namespace "shop". */
export interface ShopContainer {
  readonly cgroup: string;
  /** Reports the container to an agent, as the hook does. */
  report(address: string): Promise<unknown>;
  /** Starts a built agent and reports the container to it. */
  startAgent(bpfDir: string, flags?: readonly string[]): Promise<Agent>;
  /** In the container, in this directory of the test's. */
  run(...argv: readonly string[]): Ended;
  readonly dir: string;
}

export function createShopContainer(workspace: Workspace): ShopContainer {
  const uid = crypto.randomUUID();
  const parent = `/rthooks-${workspace.tag}`;
  const cgroup = `${parent}/pod${uid}/${uid.replaceAll("-", "").repeat(2)}`;
  const dir = workspace.path("work");
  mkdirSync(dir);
  mkdirSync(findCgroupDirectory(cgroup), { recursive: true });
  workspace.onClose(() => removeCgroup(parent));
  const report = (address: string): Promise<unknown> =>
    callRuntimeHook(address, {
      ...{ podUID: uid, podName: "web-0", podNamespace: "shop", cgroupsPath: cgroup, containerID: uid },
    });
  return {
    ...{ cgroup, dir, report },
    startAgent: async (bpfDir, flags = []) => {
      const common = ["--enable-policy-filter", "--tracing-policy-dir", workspace.path("none")];
      const agent = await startAgent(workspace, { flags: [...common, "--bpf-dir", bpfDir, ...flags] });
      await report(agent.address);
      return agent;
    },
    run: (...argv) => runInCgroup(cgroup, argv, dir),
  };
}

const matchActions = [{ action: "Sigkill" }];
const podSelector = {
  matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: "In", values: ["shop"] }],
};

/** A cluster-wide policy for the pods of "shop". */
export const toShopPolicy = (name: string, hooks: object): string =>
  JSON.stringify({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name } },
    spec: { podSelector, ...hooks },
  });

/** Hooks of a policy: an execution of one of the paths is killed. */
export const forbidPaths = (...values: readonly string[]): object => ({
  lsmhooks: [
    {
      ...{ hook: "bprm_check_security", args: [{ index: 0, type: "linux_binprm" }] },
      selectors: [{ matchArgs: [{ index: 0, operator: "Equal", values }], matchActions }],
    },
  ],
});

/** A connection to one of the addresses fails with EPERM. */
export const forbidAddresses = (...values: readonly string[]): object => ({
  kprobes: [
    {
      ...{ call: "security_socket_connect", syscall: false, args: [{ index: 1, type: "sockaddr" }] },
      selectors: [
        {
          matchArgs: [{ index: 1, operator: "SAddr", values }],
          matchActions: [{ action: "Override", argError: -1 }],
        },
      ],
    },
  ],
});

/** A system call is answered with SIGKILL where the selector matches. */
export const killOnCall = (name: string, selector: object = {}, args: readonly object[] = []): object => ({
  tracepoints: [
    {
      ...{ subsystem: "syscalls", event: `sys_enter_${name}`, args },
      selectors: [{ ...selector, matchActions }],
    },
  ],
});
