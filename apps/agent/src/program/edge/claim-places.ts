// SPDX-License-Identifier: Apache-2.0
// Locks what only one agent may use: its sockets, the directory of its BPF maps, the directory of persisted policies.
// Everything is locked before anything is changed, so an agent that fails here has not disturbed the running one.

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
  /** Empty: no BPF maps. */
  readonly bpfDirectory: string;
  /** Directory of persisted policies; empty: policies are not persisted. */
  readonly policyArchive: string;
  readonly log: Logger;
}

export type Places = Pick<PolicyFilterOptions, "claimedDirectory">;

/** `parts` releases the locks, also those taken before an error. The error is one line. */
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
    // Remove before releasing: a process that has opened the file then sees that its path has another file or none.
    if (locked.value.isInPlace()) rmSync(lockPath);
    locked.value.release();
  });
  return place;
}

function claimArchive(directory: string, parts: DisposableStack): Result<void, string> {
  try {
    // Policies show what a node enforces: readable by root only.
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`cannot create ${directory}: ${describeError(error)}`);
  }
  const locked = lockDirectory(directory);
  if (!locked.ok) return err(renderRefusal(directory, locked.error, "--persist-dir"));
  parts.defer(locked.value.release);
  return ok(undefined);
}

const renderRefusal = (path: string, failure: LockFailure, flag: string): string =>
  failure.kind === "held"
    ? `${renderLockFailure(path, failure)}; stop it, or use another ${flag}`
    : `cannot lock ${path}: ${failure.message}`;
