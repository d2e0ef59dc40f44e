// SPDX-License-Identifier: Apache-2.0
// Policies that came by calls, kept on disk for the agent's next start: a file each, with the text as it was given and
// what was configured since.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderSysError } from "@rthooks/sys";
import { removeFile, removeStaged, stageFile } from "@rthooks/sys/atomic-file";
import * as v from "valibot";
import type { PolicyName } from "../core/policy-store.ts";

/** On disk beside its place: what is left to do is a rename. */
export interface PendingChange {
  /** Durable when this returns. */
  commit(): Result<void, string>;
  discard(): void;
}

export interface PolicyChange {
  readonly enable?: boolean;
  readonly mode?: "enforce" | "monitor";
}

/** Errors are one line for people. What was kept stays as it was until `commit`, and where that gives an error. */
export interface PolicyArchive {
  save(name: PolicyName, yaml: string): Result<PendingChange, string>;
  update(name: PolicyName, change: PolicyChange): Result<PendingChange, string>;
  remove(name: PolicyName): Result<void, string>;
  /** The paths of what is kept. */
  list(): Result<readonly string[], string>;
  read(path: string): Result<KeptPolicy, string>;
}

const nothing: PendingChange = { commit: () => ok(undefined), discard: () => {} };

export const noPolicyArchive: PolicyArchive = {
  save: () => ok(nothing),
  update: () => ok(nothing),
  remove: () => ok(undefined),
  list: () => ok([]),
  read: () => err("nothing is kept"),
};

const kept = v.object({
  domain: v.string(),
  yaml: v.string(),
  isEnabled: v.boolean(),
  /** Undefined: the policy's own. */
  mode: v.optional(v.picklist(["enforce", "monitor"])),
});
type KeptPolicy = v.InferOutput<typeof kept>;

/** Policies tell what a node is guarded against: for root alone. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** What of a policy's full name is a file's name as it is: the rest is hashed, it may be too long (NAME_MAX, 255 bytes). */
const fileName = /^[a-z0-9][-a-z0-9.:]{0,199}$/;

/** Only one agent may keep its policies in the directory. */
export function openPolicyArchive(directory: string): Result<PolicyArchive, string> {
  try {
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    return err(`${directory} cannot be made: ${describeError(error)}`);
  }
  removeStaged(directory, { minAgeMs: 0 });
  const pathOf = ({ name, namespace, domain }: PolicyName): string => {
    const full = `${name}:${namespace}:${domain}`;
    const base = fileName.test(full) ? full : createHash("sha256").update(full).digest("hex");
    return join(directory, `${base}.json`);
  };

  const stage = (path: string, content: KeptPolicy): Result<PendingChange, string> => {
    const text = `${JSON.stringify(content, undefined, 2)}\n`;
    const staged = stageFile(path, text, { mode: FILE_MODE });
    if (!staged.ok) return err(`the policy cannot be kept: ${renderSysError(staged.error)}`);
    return ok({
      commit: () => {
        const done = staged.value.publish();
        return done.ok ? done : err(`the policy cannot be kept: ${renderSysError(done.error)}`);
      },
      discard: staged.value.discard,
    });
  };

  const read = (path: string): Result<KeptPolicy, string> => {
    try {
      const parsed = v.safeParse(kept, JSON.parse(readFileSync(path, "utf8")));
      return parsed.success ? ok(parsed.output) : err(parsed.issues[0].message);
    } catch (error) {
      return err(describeError(error));
    }
  };

  return ok({
    save: (name, yaml) => stage(pathOf(name), { domain: name.domain, yaml, isEnabled: true }),
    update(name, { enable, mode }) {
      const path = pathOf(name);
      const old = read(path);
      if (!old.ok) return err(`${path} cannot be read: ${old.error}`);
      return stage(path, {
        ...old.value,
        ...(enable === undefined ? {} : { isEnabled: enable }),
        ...(mode === undefined ? {} : { mode }),
      });
    },
    remove(name) {
      const removed = removeFile(pathOf(name));
      return removed.ok ? removed : err(`the policy cannot be removed: ${renderSysError(removed.error)}`);
    },
    list() {
      try {
        const files = readdirSync(directory).filter((file) => file.endsWith(".json"));
        return ok(files.toSorted().map((file) => join(directory, file)));
      } catch (error) {
        return err(describeError(error));
      }
    },
    read,
  });
}
