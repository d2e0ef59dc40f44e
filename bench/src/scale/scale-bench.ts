// SPDX-License-Identifier: Apache-2.0
// The real watches of 1,000 nodes against the tests' API server: requests at the start, while nothing happens, for changes of
// pods, and when the server ends all connections.
import { readFileSync } from "node:fs";
import { startKubeApi } from "../../../tests/harness/kube-api.ts";
import { waitFor } from "../../../tests/harness/wait.ts";
import { createWorkspace } from "../../../tests/harness/workspace.ts";
import type { Table } from "../table.ts";

const nodes = 1000;
const watches = 3;
const processes = 2;
const podsPerNode = 10;
const windowS = 5;
const idleS = 20;
/** Bun sends 256 requests at once by default; each watch is one. */
const environment = { PATH: "/usr/bin:/bin", BUN_CONFIG_MAX_HTTP_REQUESTS: "20000" };

const readRssMb = (pid: number): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

export async function benchScale(): Promise<readonly Table[]> {
  const workspace = createWorkspace("scale");
  try {
    const api = startKubeApi(workspace);
    for (const plural of ["tracingpolicies", "tracingpoliciesnamespaced"]) api.serveKind(plural);
    for (let at = 0; at < nodes * podsPerNode; at++)
      api.put({ uid: `u-${at}`, name: `web-${at}`, nodeName: `node-${at % nodes}`, labels: { app: "web" } });
    const times: number[] = [];
    api.intercept = () => {
      times.push(performance.now());
      return undefined;
    };
    const ownMb = readRssMb(process.pid);
    const each = nodes / processes;
    const children = Array.from({ length: processes }, (_, at) =>
      Bun.spawn(
        [
          ...[
            process.execPath,
            Bun.fileURLToPath(import.meta.resolve("./nodes.ts")),
            api.url,
            api.certs.caPath,
            api.token,
          ],
          ...[String(at * each), String(each)],
        ],
        { env: environment, stdin: "ignore", stdout: "inherit", stderr: "inherit" },
      ),
    );
    for (const child of children) workspace.onClose(() => child.kill("SIGKILL"));
    await waitFor("all watches", () => api.watchers() === nodes * watches, 300_000);
    const atStart = times.length;
    const serverMb = readRssMb(process.pid) - ownMb;
    const nodesMb = children.reduce((sum, { pid }) => sum + readRssMb(pid), 0);
    await Bun.sleep(idleS * 1000);
    const whileIdle = times.length - atStart;
    for (let at = 0; at < nodes; at++)
      api.put({ uid: `u-${at}`, name: `web-${at}`, nodeName: `node-${at}`, labels: { app: "db" } });
    await Bun.sleep(1000);
    const forChanges = times.length - atStart - whileIdle;
    const before = times.length;
    const cutMs = performance.now();
    api.cut();
    await waitFor("all watches again", () => api.watchers() === nodes * watches, 120_000);
    const backS = (performance.now() - cutMs) / 1000;
    const perSecond = new Map<number, number>();
    for (const time of times.slice(before)) {
      const second = Math.floor((time - cutMs) / 1000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    const cell = (value: number, digits = 0): string => value.toFixed(digits);
    return [
      {
        title: `The watches of ${nodes} nodes, ${watches} for each, ${podsPerNode} pods on a node`,
        columns: ["what", "value"],
        rows: [
          ["requests at the start, for each node", cell(atStart / nodes, 2)],
          [`requests of all nodes in ${idleS} s in which nothing happens`, cell(whileIdle)],
          ["requests for a change of a pod on each node", cell(forChanges)],
          ["requests after the server ended all connections", cell(times.length - before)],
          [
            `the most of them in one second (bound: ${(2 * nodes) / windowS})`,
            cell(Math.max(...perSecond.values())),
          ],
          ["seconds until all watches are back", cell(backS, 1)],
          ["memory of the test server for a watch, KB", cell((serverMb * 1024) / (nodes * watches))],
          ["memory of the simulated nodes for a watch, KB", cell((nodesMb * 1024) / (nodes * watches))],
        ],
        notes: [
          "The server is the one of the tests, with TLS, in the process that measures; its memory is not that of a kube-apiserver. The memory of the nodes has that of their runtime, shared by 500.",
        ],
      },
    ];
  } finally {
    await workspace.close();
  }
}
