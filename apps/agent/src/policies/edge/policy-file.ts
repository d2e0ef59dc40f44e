// SPDX-License-Identifier: Apache-2.0
// The policy of one file. When the file cannot be read or used, the policy read from it before stays in force, and the error
// is in the log, in the list of policies and in the agent's health.

import type { Logger } from "@rthooks/log";
import { renderProblem, type TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { type FollowedFile, followFile } from "../../base/edge/followed-file.ts";
import { FILES_DOMAIN } from "../core/policy-domain.ts";
import type { PolicyParser } from "../core/policy-parser.ts";
import { type PolicyStore, toPolicyName } from "../core/policy-store.ts";
import { MAX_POLICY_BYTES } from "./policy-text.ts";

/** After so many reads in a row without a file, its policy is removed: a volume may be unmounted for a moment. */
export const READS_UNTIL_GONE = 10;

export interface PolicyFileOptions {
  readonly path: string;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  readonly isReadAtOnce: boolean;
  /** Named by a flag, so a missing file is an error. Other files are read only where their directory lists them. */
  readonly isNamed: boolean;
  /** Once true, nothing is changed any more. */
  isClosed(): boolean;
  /** Awaits an answer of the file system. */
  access<T>(answer: Promise<T>): Promise<T>;
  /** The path of another file with a policy of this name. */
  findOwner(policy: TracingPolicy): string | undefined;
}

export interface PolicyFile {
  /** Reads the file if it has changed. */
  read(): Promise<void>;
  /** The directory was listed, and does not have the file. */
  miss(): Promise<void>;
  /** Puts a policy that was refused when it was read: a name or a filter may have become free. */
  retry(): Promise<void>;
  policy(): TracingPolicy | undefined;
  /** The file has been missing for so long that its policy was removed. */
  isGone(): boolean;
  /** The policy of the file is known, so other filters that an earlier agent had from it can be removed. */
  isSettled(): boolean;
  /** The last read found the file as it was before, or gone: the next one is needed only after a change. */
  isQuiet(): boolean;
  /** One line; empty without an error. */
  problem(): string;
}

export function openPolicyFile(options: PolicyFileOptions): PolicyFile {
  const { path, policies, parser, log, isNamed, isClosed, access, findOwner } = options;
  const follow = (isReadAtOnce: boolean): FollowedFile =>
    followFile(path, { maxBytes: MAX_POLICY_BYTES, isReadAtOnce });
  let followed = follow(options.isReadAtOnce);
  let missing = 0;
  let isSame = false;
  /** Why the file cannot be read now, and why its policy is not used; empty without an error. */
  let unread = "";
  let unused = "";
  /** The policy that is listed for this file. */
  let policy: TracingPolicy | undefined;
  /** The policy that was read and refused because of other policies. */
  let waiting: TracingPolicy | undefined;

  /** A file without a policy is listed by its path; the name of a policy never has a slash. */
  const toListed = () =>
    policy === undefined
      ? { name: path, namespace: "", domain: FILES_DOMAIN }
      : toPolicyName(FILES_DOMAIN, policy);

  const reject = async (error: string): Promise<Result<never, string>> => {
    await policies.reject(toListed(), error.replaceAll("\n", "; "));
    return err(error);
  };

  const use = async (wanted: TracingPolicy): Promise<Result<void, string>> => {
    const owner = findOwner(wanted);
    if (owner !== undefined) return await reject(`${owner} has a policy of this name`);
    const name = toPolicyName(FILES_DOMAIN, wanted);
    const old = policy === undefined ? undefined : toPolicyName(FILES_DOMAIN, policy);
    const isOther = old !== undefined && (old.name !== name.name || old.namespace !== name.namespace);
    const done = await policies.put(FILES_DOMAIN, wanted);
    if (isOther && !done.ok) {
      await policies.remove(name);
      return await reject(done.error);
    }
    if (isOther || old === undefined) await policies.remove(toListed());
    // A policy that was refused is listed too, with its error.
    policy = wanted;
    return done;
  };

  const record = (used: Result<void, string>, wanted: TracingPolicy | undefined): void => {
    if (isClosed()) return;
    waiting = used.ok ? undefined : wanted;
    const error = used.ok ? "" : used.error;
    if (used.ok) log.info("tracing policy file read", { path, policy: policy?.name ?? "" });
    else if (error !== unused) log.error("cannot use tracing policy file", { path, err: error });
    unused = error;
  };

  const setUnread = async (error: string): Promise<void> => {
    if (error === unread) return;
    if (error === "") log.info("tracing policy file can be read again", { path });
    else log.error("cannot read tracing policy file; keeping its policy", { path, err: error });
    unread = error;
    // With a policy or another error the file is listed already.
    if (policy !== undefined || unused !== "") return;
    if (error === "") await policies.remove(toListed());
    else await policies.reject(toListed(), error);
  };

  const miss = async (): Promise<void> => {
    isSame = false;
    missing++;
    if (missing === 1 && policy !== undefined)
      log.warn("tracing policy file is missing; keeping its policy for some seconds", { path });
    if (missing !== READS_UNTIL_GONE) return;
    await policies.remove(toListed());
    if (policy !== undefined) log.info("tracing policy file is gone; its policy is removed", { path });
    policy = undefined;
    waiting = undefined;
    unused = "";
    unread = "";
    followed = follow(false);
  };

  return {
    async read() {
      const found = await access(followed.look());
      if (isClosed()) return;
      if (found.kind === "missing") {
        await miss();
        // In a directory, the file was removed after the listing, which is not an error.
        if (isNamed) await setUnread(found.error);
        return;
      }
      missing = 0;
      isSame = found.kind === "same";
      await setUnread(found.kind === "broken" ? found.error : "");
      if (found.kind !== "read") return;
      const read = found.bytes.ok ? await parser.parsePolicy(found.bytes.value) : found.bytes;
      if (isClosed()) return;
      for (const warning of read.ok ? read.value.warnings : [])
        log.warn("tracing policy has ineffective settings", {
          path,
          warning: renderProblem(warning),
        });
      if (read.ok) record(await use(read.value), read.value);
      else record(await reject(read.error), undefined);
    },
    miss,
    async retry() {
      const wanted = waiting;
      if (wanted !== undefined) record(await use(wanted), wanted);
    },
    policy: () => policy,
    isGone: () => missing >= READS_UNTIL_GONE,
    isSettled() {
      if (missing > 0) return missing >= READS_UNTIL_GONE;
      return unread === "" && (unused === "" || policy !== undefined || waiting !== undefined);
    },
    isQuiet: () => (missing > 0 ? missing >= READS_UNTIL_GONE : isSame),
    problem: () => {
      const error = unread || unused;
      return error === "" ? "" : `cannot use the policy file ${path}: ${error.split("\n")[0]}`;
    },
  };
}
