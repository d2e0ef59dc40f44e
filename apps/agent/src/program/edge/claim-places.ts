// SPDX-License-Identifier: Apache-2.0
// What one agent alone may have: its sockets, the directory of its maps, that of the policies it keeps. All of it is locked
// before anything else is done, so that an agent that is refused has changed nothing of the one that runs.

import { mkdirSync, rmSync } from "node:fs";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type LockFailure, lockDirectory, lockFile } from "@rthooks/sys/exclusive-lock";
import { checkSocketPlace } from "../../api/edge/socket-file.ts";
import type { ServerAddress } from "../../base/core/server-address.ts";
import { claimBpfDirectory, renderLockFailure } from "../../filter/edge/claim-bpf-directory.ts";
import type { PolicyFilterOptions } from "../../filter/edge/open-policy-filter.ts";

interface Wanted {
  readonly addresses: readonly ServerAddress[];
  /** Empty: no maps in the kernel. */
  readonly bpfDirectory: string;
  /** Of policies that are kept; empty: none are. */
  readonly policyArchive: string;
  readonly log: Logger;
}

export type Places = Pick<PolicyFilterOptions, "claimedDirectory">;

/** `parts` releases the locks, also those that were taken before an error. The error is one line for people. */
export async function claimPlaces(wanted: Wanted, parts: DisposableStack): Promise<Result<Places, string>> {
  for (const address of wanted.addresses) {
    if (address.kind !== "unix") continue;
    const claimed = await claimSocket(address.path, parts);
    if (!claimed.ok) return claimed;
  }
  const bpf = wanted.bpfDirectory === "" ? undefined : claimBpfDirectory(wanted.bpfDirectory, wanted.log);
  const whyNot = bpf?.ok === false ? renderLockFailure(wanted.bpfDirectory, bpf.error) : "";
  if (bpf?.ok === false && bpf.error.kind === "held")
    return err(`${whyNot}; stop it, or use another --bpf-dir`);
  if (bpf?.ok === true) parts.defer(bpf.value.release);
  const archive = wanted.policyArchive === "" ? ok(undefined) : claimArchive(wanted.policyArchive, parts);
  if (!archive.ok) return archive;
  return ok({ claimedDirectory: bpf?.ok === false ? err(whyNot) : bpf });
}

async function claimSocket(path: string, parts: DisposableStack): Promise<Result<void, string>> {
  const place = await checkSocketPlace(path);
  if (!place.ok) return place;
  const lockPath = `${path}.lock`;
  const locked = lockFile(lockPath);
  if (!locked.ok) return err(renderRefusal(path, locked.error, "--server-address"));
  parts.defer(() => {
    // Before the release: a process that opens the file now sees afterwards that it is not in its place any more.
    if (locked.value.isInPlace()) rmSync(lockPath);
    locked.value.release();
  });
  return place;
}

function claimArchive(directory: string, parts: DisposableStack): Result<void, string> {
  try {
    // Policies tell whom a node guards against what: root's alone.
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`${directory} cannot be made: ${describeError(error)}`);
  }
  const locked = lockDirectory(directory);
  if (!locked.ok) return err(renderRefusal(directory, locked.error, "--persist-dir"));
  parts.defer(locked.value.release);
  return ok(undefined);
}

const renderRefusal = (path: string, failure: LockFailure, flag: string): string =>
  failure.kind === "held"
    ? `${renderLockFailure(path, failure)}; stop it, or use another ${flag}`
    : `${path} cannot be locked: ${failure.message}`;
