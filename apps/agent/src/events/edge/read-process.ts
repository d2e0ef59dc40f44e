// SPDX-License-Identifier: Apache-2.0
// Reads processes from /proc (proc(5)).

import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import type { FoundProcess, ProcessReader } from "../core/process-reader.ts";
import { joinArguments } from "../core/program.ts";
import { TICK_NS } from "../core/start-ticks.ts";

const MAX_ARGUMENT_BYTES = 4_096;
/** In fields of /proc/PID/stat behind the name. */
const PARENT_FIELD = 1;
const START_FIELD = 19;

export function createProcessReader(procfs: string): ProcessReader {
  return {
    read(pid) {
      try {
        return readProcess(join(procfs, String(pid)), pid);
      } catch {
        // It has ended.
        return undefined;
      }
    },
  };
}

/** Throws if the process has ended. */
function readProcess(directory: string, pid: number): FoundProcess {
  const stat = readFileSync(join(directory, "stat"), "latin1");
  // A name may contain blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(join(directory, "status"), "latin1");
  const words = readArguments(join(directory, "cmdline"));
  const cwd = readLink(join(directory, "cwd"));
  const auid = readNumber(join(directory, "loginuid"));
  return {
    pid,
    parentPid: Number(fields[PARENT_FIELD]),
    startTime: BigInt(fields[START_FIELD] ?? 0) * TICK_NS,
    uid: Number(/^Uid:\t(\d+)/m.exec(status)?.[1] ?? 0),
    namespacePid: Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1] ?? pid),
    program: {
      binary: readLink(join(directory, "exe")).replace(/ \(deleted\)$/, ""),
      ...{ arguments: joinArguments(words.slice(1)), cwd, auid },
      flags: cwd === "/" ? ["rootcwd"] : [],
    },
  };
}

function readArguments(path: string): readonly string[] {
  const bytes = Buffer.alloc(MAX_ARGUMENT_BYTES);
  const file = openSync(path, "r");
  try {
    const text = bytes.subarray(0, readSync(file, bytes)).toString("utf8");
    return text === "" ? [] : text.replace(/\0$/, "").split("\0");
  } finally {
    closeSync(file);
  }
}

/** Empty for a thread of the kernel, or without the permission to see it. */
function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** Undefined where the kernel does not have the file. */
function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "latin1"));
  } catch {
    return undefined;
  }
}
