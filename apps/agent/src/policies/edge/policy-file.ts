// SPDX-License-Identifier: Apache-2.0
// The policy of one file. A file that cannot be used, or cannot be read, changes nothing: what was read from it before
// stays in force, and the fault is in the log, in the list of policies and in the agent's health.

import type { Logger } from "@rthooks/log";
import { renderProblem, type TracingPolicy } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { type FollowedFile, followFile } from "../../base/edge/followed-file.ts";
import { FILES_DOMAIN } from "../core/policy-domain.ts";
import type { PolicyParser } from "../core/policy-parser.ts";
import { type PolicyStore, toPolicyName } from "../core/policy-store.ts";
import { MAX_POLICY_BYTES } from "./policy-text.ts";

/** So many looks in a row find no file before it is gone: a volume may be away for a moment. */
export const LOOKS_UNTIL_GONE = 10;

export interface PolicyFileOptions {
  readonly path: string;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  readonly isReadAtOnce: boolean;
  /** Looked for whether it is there or not; others are looked at where their directory lists them. */
  readonly isNamed: boolean;
  /** Nothing is changed any more. */
  isClosed(): boolean;
  /** The path of another file whose policy has the name of this one. */
  findOwner(policy: TracingPolicy): string | undefined;
}

export interface PolicyFile {
  /** Reads it if it is another one than before. */
  look(): Promise<void>;
  /** The directory was listed, and does not have it. */
  miss(): void;
  /** Uses what could not be used when it was read: a name or a filter may have become free. */
  retry(): void;
  policy(): TracingPolicy | undefined;
  /** It has been missing for so long that its policy was removed. */
  isGone(): boolean;
  /** What it says is known: of what an earlier agent had from it, nothing else is still meant. */
  isSettled(): boolean;
  /** One line; empty where all is well. */
  problem(): string;
}

export function openPolicyFile(options: PolicyFileOptions): PolicyFile {
  const { path, policies, parser, log, isNamed, isClosed, findOwner } = options;
  const follow = (isReadAtOnce: boolean): FollowedFile =>
    followFile(path, { maxBytes: MAX_POLICY_BYTES, isReadAtOnce });
  let followed = follow(options.isReadAtOnce);
  let missing = 0;
  /** Why it cannot be read now, and why what was read of it is not used; empty for none. */
  let unread = "";
  let unused = "";
  /** Listed under its name. */
  let policy: TracingPolicy | undefined;
  /** What was read and is not in force, because of others. */
  let waiting: TracingPolicy | undefined;

  /** A file without a policy is listed by its path: no policy's name has a slash. */
  const toListed = () =>
    policy === undefined
      ? { name: path, namespace: "", domain: FILES_DOMAIN }
      : toPolicyName(FILES_DOMAIN, policy);

  const reject = (error: string): Result<never, string> => {
    policies.reject(toListed(), error.replaceAll("\n", "; "));
    return err(error);
  };

  const use = (wanted: TracingPolicy): Result<void, string> => {
    const owner = findOwner(wanted);
    if (owner !== undefined) return reject(`${owner} has a policy of this name`);
    const name = toPolicyName(FILES_DOMAIN, wanted);
    const old = policy === undefined ? undefined : toPolicyName(FILES_DOMAIN, policy);
    const isOther = old !== undefined && (old.name !== name.name || old.namespace !== name.namespace);
    const done = policies.put(FILES_DOMAIN, wanted);
    if (isOther && !done.ok) {
      policies.remove(name);
      return reject(done.error);
    }
    if (isOther || old === undefined) policies.remove(toListed());
    // Also one that has no filter: it is listed with its error.
    policy = wanted;
    return done;
  };

  const conclude = (used: Result<void, string>, wanted: TracingPolicy | undefined): void => {
    waiting = used.ok ? undefined : wanted;
    const error = used.ok ? "" : used.error;
    if (used.ok) log.info("tracing policy read", { file: path, name: policy?.name ?? "" });
    else if (error !== unused) log.error("tracing policy file is not used", { file: path, err: error });
    unused = error;
  };

  const setUnread = (error: string): void => {
    if (error === unread) return;
    if (error === "") log.info("tracing policy file can be read again", { file: path });
    else
      log.error("tracing policy file cannot be read: its policy stays as it is", { file: path, err: error });
    unread = error;
    // One that is in force is listed as that.
    if (policy !== undefined || unused !== "") return;
    if (error === "") policies.remove(toListed());
    else policies.reject(toListed(), error);
  };

  const miss = (): void => {
    missing++;
    if (missing === 1 && policy !== undefined)
      log.warn("tracing policy file is missing: its policy stays for some seconds", { file: path });
    if (missing !== LOOKS_UNTIL_GONE) return;
    policies.remove(toListed());
    if (policy !== undefined) log.info("tracing policy file is gone", { file: path });
    policy = undefined;
    waiting = undefined;
    unused = "";
    unread = "";
    followed = follow(false);
  };

  return {
    async look() {
      const look = await followed.look();
      if (isClosed()) return;
      if (look.kind === "missing") {
        miss();
        // A file of the directory was removed after the directory was listed: that is not a fault.
        if (isNamed) setUnread(look.error);
        return;
      }
      missing = 0;
      setUnread(look.kind === "broken" ? look.error : "");
      if (look.kind !== "read") return;
      const read = look.bytes.ok ? await parser.parsePolicy(look.bytes.value) : look.bytes;
      if (isClosed()) return;
      for (const warning of read.ok ? read.value.warnings : [])
        log.warn("tracing policy has ineffective settings", {
          file: path,
          warning: renderProblem(warning),
        });
      if (read.ok) conclude(use(read.value), read.value);
      else conclude(reject(read.error), undefined);
    },
    miss,
    retry() {
      if (waiting !== undefined) conclude(use(waiting), waiting);
    },
    policy: () => policy,
    isGone: () => missing >= LOOKS_UNTIL_GONE,
    isSettled() {
      if (missing > 0) return missing >= LOOKS_UNTIL_GONE;
      return unread === "" && (unused === "" || policy !== undefined || waiting !== undefined);
    },
    problem: () => {
      const error = unread || unused;
      return error === "" ? "" : `the policy file ${path} is not used: ${error.split("\n")[0]}`;
    },
  };
}
