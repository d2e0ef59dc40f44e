// SPDX-License-Identifier: Apache-2.0
// `make inspect`: a real agent with the inspector, and real runc containers that come, go and are denied, until Ctrl-C.
// `--address HOST:PORT` listens elsewhere.
import { parseArgs } from "node:util";
import { createWorkspace } from "../tests/harness/workspace.ts";
import { runBusyNode } from "./busy-node/busy-node.ts";

const { values } = parseArgs({ options: { address: { type: "string", default: "127.0.0.1:9101" } } });
const workspace = createWorkspace("inspect");
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve());
});
try {
  const node = await runBusyNode(workspace, {
    ...{ inspectAddress: values.address, jobEveryMs: 1500, serviceMs: 30_000 },
  });
  console.log(`The agent runs, and containers start, end and are denied. Open http://${node.address}/`);
  console.log("Ctrl-C ends and removes everything.");
  await interrupted;
  console.log(`Ending after ${node.starts()} starts of containers.`);
  await node.stop();
} catch (failure) {
  console.error(failure instanceof Error ? failure.message : String(failure));
  process.exitCode = 1;
} finally {
  await workspace.close();
}
