// SPDX-License-Identifier: Apache-2.0
// The pod source behind --pods-file. The file is looked at several times a second and read when it is another
// one than before. A look follows symlinks, so a rewrite, a rename over it and the swap of a directory link (as
// the kubelet does for mounted ConfigMaps) are all seen, on file systems without change notices too.

import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeError, err, type Result } from "@rthooks/result";
import { parsePodList } from "../core/pod-list.ts";
import type { Pod, PodSource } from "../core/pod-source.ts";
import { createPodStore } from "../core/pod-store.ts";
import { findFingerprint, wasJustWritten } from "./file-fingerprint.ts";
import { parseYaml } from "./yaml.ts";

export interface PodsFile {
  readonly source: PodSource;
  close(): void;
}

const intervalMs = 250;
/** Hook calls wait while the file is parsed: about 3 ms per MB of JSON, 30 ms per MB of YAML. */
const maxBytes = 64 * 1024 * 1024;

export function openPodsFile(path: string, log: Logger): PodsFile {
  const store = createPodStore();
  let seen = "";
  let problem = "";

  const look = (): void => {
    const fingerprint = findFingerprint(path);
    if (fingerprint === seen) return;
    const pods = readPods(path);
    // A file that was written a moment ago is read once more at the next look.
    seen = wasJustWritten(path) ? "" : fingerprint;
    if (pods.ok) {
      problem = "";
      store.replaceAll(pods.value);
      if (seen !== "") log.info("pods file read", { file: path, pods: pods.value.length });
    } else if (pods.error !== problem) {
      problem = pods.error;
      log.error("pods file is not used; the pods stay as they were", { file: path, err: problem });
    }
  };

  look();
  const timer = setInterval(look, intervalMs);
  return { source: store, close: () => clearInterval(timer) };
}

function readPods(path: string): Result<readonly Pod[], string> {
  try {
    const stats = statSync(path);
    // Opening a pipe would wait for a writer.
    if (!stats.isFile()) return err("it is not a regular file");
    const fd = openSync(path, "r");
    try {
      const { size } = fstatSync(fd);
      if (size > maxBytes) return err(`it has ${size} bytes, more than ${maxBytes}`);
      return parsePodList(readFileSync(fd, "utf8"), parseYaml);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return err(describeError(error));
  }
}
