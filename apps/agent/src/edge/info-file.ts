// SPDX-License-Identifier: Apache-2.0
// Says where this agent is to be reached, in the file in which Tetragon's command line client looks when it is given no
// address (pkg/bugtool, tetragon-info.json).

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError } from "@rthooks/result";

export interface RunInfo {
  /** "unix:///var/run/tetragon/tetragon.sock" */
  readonly serverAddress: string;
  readonly metricsAddress: string;
  readonly mapDirectory: string;
}

/** An agent that cannot write it runs all the same. Gives the function that takes the file away again. */
export function writeInfoFile(path: string, info: RunInfo, log: Logger): () => void {
  if (path === "") return () => {};
  const text = `${JSON.stringify({
    server_address: info.serverAddress,
    metrics_address: info.metricsAddress,
    map_dir: info.mapDirectory,
    pid: process.pid,
  })}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // Whoever reads it sees all of it or what was there before.
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, text, { mode: 0o644, flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    log.warn("clients must be given the agent's address: its file cannot be written", {
      file: path,
      err: describeError(error),
    });
    return () => {};
  }
  return () => {
    try {
      // By now another agent's may be there.
      if (readFileSync(path, "utf8") === text) rmSync(path);
    } catch {
      // It is gone already.
    }
  };
}
