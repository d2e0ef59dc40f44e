// SPDX-License-Identifier: Apache-2.0
// The policy archive on disk: one file for each policy, with the text as the client sent it and its configuration.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderSysError } from "@rthooks/sys";
import { removeFile, removeStaged, stageFile } from "@rthooks/sys/atomic-file";
import * as v from "valibot";
import type { KeptPolicy, PendingChange, PolicyArchive } from "../core/policy-archive.ts";
import type { PolicyName } from "../core/policy-store.ts";

const kept = v.object({
  domain: v.string(),
  yaml: v.string(),
  isEnabled: v.boolean(),
  mode: v.optional(v.picklist(["enforce", "monitor"])),
});

/** For root only: policies show what a node is guarded against. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** Full names that are file names as they are; others are hashed, as they may be too long (NAME_MAX, 255 bytes). */
const fileName = /^[a-z0-9][-a-z0-9.:]{0,199}$/;

/** The directory must not be shared by two agents. */
export function openPolicyArchive(directory: string): Result<PolicyArchive, string> {
  try {
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  } catch (error) {
    return err(`cannot create ${directory}: ${describeError(error)}`);
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
    if (!staged.ok) return err(`cannot write the policy: ${renderSysError(staged.error)}`);
    return ok({
      commit: () => {
        const done = staged.value.publish();
        return done.ok ? done : err(`cannot write the policy: ${renderSysError(done.error)}`);
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
      if (!old.ok) return err(`cannot read ${path}: ${old.error}`);
      return stage(path, {
        ...old.value,
        ...(enable === undefined ? {} : { isEnabled: enable }),
        ...(mode === undefined ? {} : { mode }),
      });
    },
    remove(name) {
      const removed = removeFile(pathOf(name));
      return removed.ok ? removed : err(`cannot remove the policy: ${renderSysError(removed.error)}`);
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
