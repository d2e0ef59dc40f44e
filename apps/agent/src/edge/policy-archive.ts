// SPDX-License-Identifier: Apache-2.0
// Policies that came by calls, kept on disk for the agent's next life: a file each, as it was given and as it was configured
// since.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import { type PolicyName, type PolicyStatus, type PolicyStore, toPolicyName } from "../core/policy-store.ts";
import { parsePolicyText } from "./policy-text.ts";

/** Errors are one line for people. */
export interface PolicyArchive {
  /** On disk when this returns. */
  save(name: PolicyName, yaml: string): Result<void, string>;
  /** Its state and mode have changed. */
  update(status: PolicyStatus): Result<void, string>;
  remove(name: PolicyName): Result<void, string>;
  /** Everything that was kept, into the store; what cannot be used is left where it is, and told. */
  restore(policies: PolicyStore): void;
}

export const noPolicyArchive: PolicyArchive = {
  save: () => ok(undefined),
  update: () => ok(undefined),
  remove: () => ok(undefined),
  restore: () => {},
};

const kept = v.object({
  domain: v.string(),
  yaml: v.string(),
  isEnabled: v.boolean(),
  /** Undefined: the policy's own. */
  mode: v.optional(v.picklist(["enforce", "monitor"])),
});
type Kept = v.InferOutput<typeof kept>;

export function openPolicyArchive(directory: string, log: Logger): Result<PolicyArchive, string> {
  try {
    // Policies tell whom a node guards against what: root's alone.
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`${directory} cannot be made: ${describeError(error)}`);
  }
  // The names come from policies that were checked: neither has a slash, and none begins with a dot.
  const pathOf = ({ name, namespace, domain }: PolicyName): string =>
    join(directory, `${name}:${namespace}:${domain}.json`);

  const attempt = (path: string, work: () => void): Result<void, string> => {
    try {
      work();
      return ok(undefined);
    } catch (error) {
      return err(`${path} cannot be written: ${describeError(error)}`);
    }
  };

  const write = (path: string, content: Kept): void => {
    const staging = `${path}.new`;
    const fd = openSync(staging, "w", 0o600);
    try {
      writeSync(fd, `${JSON.stringify(content, undefined, 2)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(staging, path);
  };

  const read = (path: string): Result<Kept, string> => {
    try {
      const parsed = v.safeParse(kept, JSON.parse(readFileSync(path, "utf8")));
      return parsed.success ? ok(parsed.output) : err(parsed.issues[0].message);
    } catch (error) {
      return err(describeError(error));
    }
  };

  const restoreOne = (path: string, policies: PolicyStore): Result<void, string> => {
    const content = read(path);
    if (!content.ok) return content;
    const { domain, yaml, isEnabled, mode } = content.value;
    const policy = parsePolicyText(yaml);
    if (!policy.ok) return policy;
    const added = policies.put(domain, policy.value);
    if (!added.ok) return added;
    const name = toPolicyName(domain, policy.value);
    const change = { ...(isEnabled ? {} : { enable: false }), ...(mode === undefined ? {} : { mode }) };
    return Object.keys(change).length === 0 ? added : policies.configure(name, change);
  };

  return ok({
    save: (name, yaml) => {
      const path = pathOf(name);
      return attempt(path, () => write(path, { domain: name.domain, yaml, isEnabled: true }));
    },
    update: (status) => {
      const path = pathOf(status);
      const old = read(path);
      if (!old.ok) return err(`${path} cannot be read: ${old.error}`);
      const mode = status.mode === "monitor_only" ? undefined : status.mode;
      const isEnabled = status.state === "enabled";
      return attempt(path, () =>
        write(path, { ...old.value, isEnabled, ...(mode === undefined ? {} : { mode }) }),
      );
    },
    remove: (name) => attempt(pathOf(name), () => rmSync(pathOf(name), { force: true })),
    restore(policies) {
      const files = readdirSync(directory).filter((file) => file.endsWith(".json"));
      for (const file of files.toSorted()) {
        const path = join(directory, file);
        const done = restoreOne(path, policies);
        if (done.ok) log.info("tracing policy restored", { file: path });
        else log.error("tracing policy not restored", { file: path, err: done.error });
      }
    },
  });
}
