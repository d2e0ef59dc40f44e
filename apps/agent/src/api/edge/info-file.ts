// SPDX-License-Identifier: Apache-2.0
// Says where this agent is to be reached, in the file in which Tetragon's command line client looks when it is given no
// address (pkg/bugtool, tetragon-info.json).

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError, err, type Result } from "@rthooks/result";
import { renderSysError } from "@rthooks/sys";
import { replaceFile } from "@rthooks/sys/atomic-file";

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
  const written = write(path, text);
  if (!written.ok) {
    log.warn("clients must be given the agent's address: its file cannot be written", {
      file: path,
      err: written.error,
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

function write(path: string, text: string): Result<void, string> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    return err(describeError(error));
  }
  const written = replaceFile(path, text, { mode: 0o644 });
  return written.ok ? written : err(renderSysError(written.error));
}
