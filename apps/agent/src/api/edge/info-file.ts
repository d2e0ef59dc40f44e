// SPDX-License-Identifier: Apache-2.0
// Writes the address of this agent to the file that `tetra` reads when it is given no address (Tetragon's pkg/bugtool,
// tetragon-info.json).

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

/** A failure is logged and does not stop the agent. Returns a function that removes the file. */
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
    log.warn("cannot write the info file: the address must be given to clients", {
      file: path,
      err: written.error,
    });
    return () => {};
  }
  return () => {
    try {
      // Another agent may have replaced it.
      if (readFileSync(path, "utf8") === text) rmSync(path);
    } catch {
      // It does not exist any more.
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
