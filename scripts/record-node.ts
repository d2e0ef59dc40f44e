// SPDX-License-Identifier: Apache-2.0
// `make record-node`: writes tests/inspector/fixtures/busy-node.ndjson.gz again: 60 s of a real agent under load, as `tetragon inspect --record`
// records it. Names of this machine's directories are replaced.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { runProcess } from "../tests/harness/process.ts";
import { findAgent } from "../tests/harness/programs.ts";
import { createWorkspace } from "../tests/harness/workspace.ts";
import { runBusyNode } from "./busy-node/busy-node.ts";

const target = join(import.meta.dir, "..", "tests", "inspector", "fixtures", "busy-node.ndjson.gz");
const seconds = 60;

const workspace = createWorkspace("record");
try {
  const node = await runBusyNode(workspace, {
    ...{ inspectAddress: "127.0.0.1:0", jobEveryMs: 1200, serviceMs: 20_000 },
  });
  const path = workspace.path("recording.ndjson.gz");
  const recorded = await runProcess([
    ...[findAgent(), "inspect", "--record", path, "--duration", `${seconds}s`],
    ...["--inspect-address", node.address],
  ]);
  await node.stop();
  if (recorded.exitCode !== 0) throw new Error(recorded.stderr);
  const text = gunzipSync(readFileSync(path)).toString();
  const named = text
    .replaceAll(workspace.dir, "/run/node")
    .replaceAll(node.cgroupParent, "/kubepods")
    .replaceAll(/127\.0\.0\.1:\d+/g, "192.0.2.1:6443");
  writeFileSync(target, gzipSync(named, { level: 9 }));
  console.log(
    `${recorded.stdout}${target} has ${named.length} characters, compressed ${gzipSync(named).length} bytes`,
  );
} finally {
  await workspace.close();
}
