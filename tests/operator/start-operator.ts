// SPDX-License-Identifier: Apache-2.0
import { failure } from "../harness/kube-answers.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { type KubeObjects, serveKubeObjects } from "../harness/kube-objects.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { type Finished, type RunningProcess, startProcess } from "../harness/process.ts";
import { findOperator } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

export interface TestCluster {
  readonly api: KubeApi;
  readonly objects: KubeObjects;
  readonly kubeconfig: string;
}

let count = 0;

export function startCluster(workspace: Workspace): TestCluster {
  const api = startKubeApi(workspace);
  const kubeconfig = writeKubeconfig(workspace, api, {}, workspace.path(`kubeconfig-${++count}`));
  return { api, objects: serveKubeObjects(api), kubeconfig };
}

export interface TestOperator {
  readonly process: RunningProcess;
  /** Of /readyz: the status, and the text without its newline. */
  ready(): Promise<readonly [number, string]>;
  metrics(): Promise<string>;
  isServing(): Promise<void>;
  stop(): Promise<Finished>;
}

/** `tetragon-operator serve`, with leader election that is four times as fast as usual. */
export function startOperator(
  workspace: Workspace,
  { kubeconfig }: TestCluster,
  ...more: readonly string[]
): TestOperator {
  const probes = workspace.path(`probes-${++count}.sock`);
  const metrics = workspace.path(`metrics-${count}.sock`);
  const process = startProcess(
    [
      ...[findOperator(), "serve", "--kube-config", kubeconfig, "--log-format", "json"],
      ...["--health-probe-bind-address", `unix://${probes}`, "--metrics-bind-address", `unix://${metrics}`],
      ...["--leader-election", "--leader-election-namespace", "kube-system"],
      ...["--leader-election-lease-duration", "4s", "--leader-election-renew-deadline", "1500ms"],
      ...["--leader-election-retry-period", "400ms", ...more],
    ],
    {},
    workspace,
  );
  const ready = async (): Promise<readonly [number, string]> => {
    try {
      const response = await fetch("http://operator/readyz", { unix: probes });
      return [response.status, (await response.text()).trim()];
    } catch {
      if (process.hasExited()) throw new Error(`the operator ended: ${process.stderr()}`);
      return [0, ""];
    }
  };
  return {
    process,
    ready,
    metrics: async () => await (await fetch("http://operator/metrics", { unix: metrics })).text(),
    async isServing() {
      await waitFor("the operator serves", () => process.stderr().includes("installed and served"), 60_000);
    },
    stop() {
      process.signal("SIGTERM");
      return process.exited;
    },
  };
}

/** Requests that the server refuses as one without the right does. */
export const forbid = (api: KubeApi, path: RegExp, methods: readonly string[]): void => {
  api.intercept = ({ pathname }, { method }) =>
    methods.includes(method) && path.test(pathname)
      ? failure(403, `forbidden: User "operator" cannot ${method.toLowerCase()} ${pathname}`)
      : undefined;
};
