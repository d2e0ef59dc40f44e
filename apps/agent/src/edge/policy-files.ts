// SPDX-License-Identifier: Apache-2.0
// Policies from files: one that is named, and all of a directory, which is looked at again and again. A file that cannot
// be used changes nothing: what was read from it before stays in force.

import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@rthooks/log";
import { renderProblem, type TracingPolicy } from "@rthooks/policy";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type PolicyStore, toPolicyName } from "../core/policy-store.ts";
import { findFingerprint, wasJustWritten } from "./file-fingerprint.ts";
import { MAX_POLICY_BYTES, parsePolicyText } from "./policy-text.ts";

export interface PolicyFilesOptions {
  /** Empty for none. */
  readonly file: string;
  readonly directory: string;
  readonly policies: PolicyStore;
  readonly log: Logger;
}

const DOMAIN = "static";
const intervalMs = 1000;

interface KnownFile {
  fingerprint: string;
  /** As it was read; undefined where it could not be. */
  text: string | undefined;
  /** What of it is in force. */
  policy: TracingPolicy | undefined;
}

/** All that is there is in force when this returns. Gives the function that ends it. */
export function openPolicyFiles({ file, directory, policies, log }: PolicyFilesOptions): () => void {
  const known = new Map<string, KnownFile>();

  const remove = (policy: TracingPolicy | undefined): void => {
    if (policy === undefined) return;
    policies.remove(toPolicyName(DOMAIN, policy));
  };

  const isTaken = (path: string, policy: TracingPolicy): boolean =>
    [...known].some(
      ([other, { policy: theirs }]) =>
        other !== path && theirs?.name === policy.name && theirs.namespace === policy.namespace,
    );

  const use = (path: string, entry: KnownFile, text: string): Result<void, string> => {
    const read = parsePolicyText(text);
    if (!read.ok) return read;
    const policy = read.value;
    if (isTaken(path, policy)) return err("another file has a policy of this name");
    const old = entry.policy;
    const isOther = old !== undefined && (old.name !== policy.name || old.namespace !== policy.namespace);
    const done = policies.put(DOMAIN, policy);
    if (isOther && !done.ok) {
      remove(policy);
      return done;
    }
    if (isOther) remove(old);
    // Also one that has no filter: it is listed with its error.
    entry.policy = policy;
    return done;
  };

  const look = (): void => {
    const paths = [...(file === "" ? [] : [file]), ...listFiles(directory)];
    for (const [path, entry] of known) {
      if (paths.includes(path)) continue;
      known.delete(path);
      remove(entry.policy);
      log.info("tracing policy file is gone", { file: path });
      // Its policy's name may be what another file could not have.
      for (const other of known.values())
        if (other.policy === undefined) Object.assign(other, { fingerprint: "", text: undefined });
    }
    for (const path of paths) {
      const fingerprint = findFingerprint(path);
      const entry = known.get(path) ?? { fingerprint: "", text: undefined, policy: undefined };
      if (entry.fingerprint === fingerprint) continue;
      known.set(path, entry);
      const text = readText(path);
      entry.fingerprint = wasJustWritten(path) ? "" : fingerprint;
      if (text.ok && text.value === entry.text) continue;
      entry.text = text.ok ? text.value : undefined;
      const used = text.ok ? use(path, entry, text.value) : text;
      for (const warning of entry.policy?.warnings ?? []) {
        log.warn("tracing policy says less than it seems to", {
          file: path,
          warning: renderProblem(warning),
        });
      }
      if (used.ok) log.info("tracing policy read", { file: path, name: entry.policy?.name ?? "" });
      else log.error("tracing policy file is not used", { file: path, err: used.error });
    }
  };

  look();
  const timer = setInterval(look, intervalMs);
  return () => clearInterval(timer);
}

/** Names in their order, so that of two files with one policy it is always the same that counts. */
function listFiles(directory: string): readonly string[] {
  if (directory === "") return [];
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    // A directory that is not there has no policies yet.
    return [];
  }
  return entries
    .filter((entry) => /\.(ya?ml|json)$/.test(entry.name) && !entry.name.startsWith("."))
    .map((entry) => join(directory, entry.name))
    .toSorted();
}

function readText(path: string): Result<string, string> {
  try {
    const stats = statSync(path);
    // Opening a pipe would wait for a writer.
    if (!stats.isFile()) return err("it is not a regular file");
    if (stats.size > MAX_POLICY_BYTES)
      return err(`it has ${stats.size} bytes, more than ${MAX_POLICY_BYTES}`);
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return err(`it cannot be read: ${describeError(error)}`);
  }
}
