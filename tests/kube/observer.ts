// SPDX-License-Identifier: Apache-2.0
// Who watches pods in these tests, and believes what is told.
import {
  type ClusterAccess,
  openApiClient,
  type Pod,
  type ResourceChange,
  type ResourceWatch,
  type WatchTiming,
  watchPods,
} from "@rthooks/kube";
import type { KubeApi } from "../harness/kube-api.ts";
import { waitFor } from "../harness/wait.ts";
import type { Workspace } from "../harness/workspace.ts";

export const accessOf = (api: KubeApi, more: Partial<ClusterAccess> = {}): ClusterAccess => ({
  server: api.url,
  ca: { kind: "file", path: api.certs.caPath },
  insecure: false,
  serverName: undefined,
  proxy: undefined,
  credentials: { kind: "token", token: api.token },
  ...more,
});

/** Shorter than usual: these tests have one watch, and lose it often. */
const windows = { firstMs: 50, longestMs: 500 };

export interface Observer {
  readonly watch: ResourceWatch;
  /** Logged so far. */
  readonly lines: readonly string[];
  readonly tellings: readonly ResourceChange<Pod>[];
  pods(): ReadonlyMap<string, Pod>;
  labels(uid: string): Readonly<Record<string, string>> | undefined;
}

export function observe(
  workspace: Workspace,
  access: ClusterAccess,
  timing: Partial<WatchTiming> = {},
  random?: () => number,
): Observer {
  const pods = new Map<string, Pod>();
  const lines: string[] = [];
  const write = (msg: string, fields?: object): void => void lines.push(`${msg} ${JSON.stringify(fields)}`);
  const tellings: ResourceChange<Pod>[] = [];
  const watch = watchPods({
    client: openApiClient(() => Promise.resolve({ ok: true, value: access }), "test/1", windows),
    nodeName: "node-1",
    log: { debug: write, info: write, warn: write, error: write },
    timing: { idleMs: 5_000, settledMs: 0, ...timing },
    ...(random === undefined ? {} : { random }),
    onChange: (change) => {
      tellings.push(change);
      if (change.kind === "all") {
        pods.clear();
        for (const pod of change.objects) pods.set(pod.uid, pod);
      } else if (change.kind === "put") pods.set(change.object.uid, change.object);
      else pods.delete(change.uid);
    },
  });
  workspace.onClose(() => watch.close());
  return {
    watch,
    lines,
    tellings,
    pods: () => pods,
    labels: (uid) => {
      const pod = pods.get(uid);
      return pod === undefined ? undefined : Object.fromEntries(pod.labels);
    },
  };
}

export const connected = ({ watch }: Observer) =>
  waitFor("the watch is connected", () => watch.isConnected());
