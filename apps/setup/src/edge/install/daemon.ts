// SPDX-License-Identifier: Apache-2.0
// `install --daemonize`: keeps the installed files until SIGTERM or SIGINT, then removes those that it still owns.

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { ignoreUnusedSignals } from "@rthooks/sys/signals";
import { listCommandLines } from "../node/command-lines.ts";
import { removeHookLog } from "./hook-log.ts";
import { removeHookFile } from "./hooks-dir.ts";
import { inExistingDirectories } from "./in-directories.ts";
import type { InstalledPart, Keeper } from "./keep-installed.ts";
import { findReferences } from "./references.ts";
import { type Target, toHookFile, toProgram } from "./target.ts";
import { describeReferences, removeBinary } from "./uninstall-hook.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const; // const: names of signals

/** Resolves at the first SIGTERM or SIGINT; a second one ends the program at once, without uninstalling. */
export function listenForEnd(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  ignoreUnusedSignals((signal) => log.info("signal ignored", { signal }));
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (isStopping) process.exit(130);
      isStopping = true;
      log.info("stopping", { signal });
      resolve();
    });
  }
  return promise;
}

interface Daemon {
  readonly target: Target;
  readonly keeper: Keeper;
  /** Resolves when the daemon has to end. */
  readonly ended: Promise<DaemonEnd>;
}

/** What to do with the files at the end. */
export interface DaemonEnd {
  readonly keepsFiles: boolean;
  /** Also of the hook's log, and after the containers whose creation has begun are started: nothing is to be left. */
  readonly isThorough: boolean;
}

/** A runtime starts a container that it has created with the hook within this time. */
const STARTED_MS = 2_000;
/** A hook ends within its timeout; a kubelet gives a pod 30 seconds to end. */
const HOOKS_ENDED_MS = 20_000;
const POLL_MS = 100;

/** The error is one line. */
export async function runDaemon(
  { target, keeper, ended }: Daemon,
  log: Logger,
): Promise<Result<void, string>> {
  // Keeps the process alive; a pending promise does not.
  const alive = setInterval(() => {}, 60_000);
  const { keepsFiles, isThorough } = await ended;
  clearInterval(alive);
  const own = await keeper.stop();
  return inExistingDirectories(target, async () => {
    if (!keepsFiles) return removeOwn(target, own, isThorough, log);
    for (const { mark } of own) await mark.remove();
    log.info("installed files kept");
    return ok(undefined);
  });
}

/** Until the containers that were created with the hook have started, and no hook runs that would write the log again. */
async function waitForStarts(target: Target): Promise<void> {
  const { hostPath } = toProgram(target);
  const deadline = performance.now() + HOOKS_ENDED_MS;
  await Bun.sleep(STARTED_MS);
  const isRunning = (): boolean =>
    listCommandLines(target.hostRoot).some(
      ({ words }) => words.includes(hostPath) && words.includes("createRuntime"),
    );
  while (isRunning() && performance.now() < deadline) await Bun.sleep(POLL_MS);
}

async function removeOwn(
  target: Target,
  parts: readonly InstalledPart[],
  isThorough: boolean,
  log: Logger,
): Promise<Result<void, string>> {
  const { binaryName, hooksDir, localDir } = target;
  const hookFile = toHookFile(target);
  const isOwn = async (directory: string): Promise<boolean> => {
    const part = parts.find((one) => one.directory === directory);
    if (part !== undefined && (await part.mark.find()) === "own") return true;
    log.info("installed files belong to another run: not removing them", { path: directory });
    return false;
  };
  const isHookFileOwn = hooksDir !== undefined && (await isOwn(hooksDir));
  const isBinaryOwn = await isOwn(localDir);
  if (hookFile !== undefined && isHookFileOwn) {
    const removed = await removeHookFile(hookFile, binaryName, log);
    if (!removed.ok) return removed;
  }
  if (isBinaryOwn) {
    if (isThorough) await waitForStarts(target);
    const references = await findReferences(toProgram(target));
    if (references.length > 0) return err(describeReferences(target, references));
    const removed = await removeBinary(target, log);
    if (!removed.ok) return removed;
    if (isThorough) removeHookLog(localDir);
  }
  for (const { mark } of parts) await mark.remove();
  return ok(undefined);
}
