// SPDX-License-Identifier: Apache-2.0
// Puts the kept policies into the store. A file that cannot be used is retried until it can be used or is removed.

import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { PolicyArchive } from "../core/policy-archive.ts";
import { GRPC_DOMAIN } from "../core/policy-domain.ts";
import type { PolicyParser } from "../core/policy-parser.ts";
import type { PolicyName, PolicyStore } from "../core/policy-store.ts";
import { READS_UNTIL_GONE } from "./policy-file.ts";

export interface RestoreOptions {
  readonly archive: PolicyArchive;
  readonly policies: PolicyStore;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly log: Logger;
  /** Called once, when all files have been restored and stayed without an error for some seconds. */
  onSettled(): void;
  readonly intervalMs?: number;
}

export interface RestoredPolicies {
  /** What is not restored, in one line; empty where all policies are. */
  problem(): string;
  close(): void;
}

const INTERVAL_MS = 500;

/** Resolves when every file has been tried once. */
export async function restorePolicies(options: RestoreOptions): Promise<RestoredPolicies> {
  const { archive, policies, parser, log, onSettled, intervalMs = INTERVAL_MS } = options;
  const restored = new Set<string>();
  const faults = new Map<string, string>();
  let unlisted = "";
  let calmReads = 0;
  let isClosed = false;

  const restoreOne = async (path: string): Promise<Result<void, string>> => {
    const content = archive.read(path);
    if (!content.ok) return content;
    const { domain, yaml, isEnabled, mode } = content.value;
    const policy = await parser.parsePolicy(yaml);
    if (!policy.ok) return policy;
    if (isClosed) return ok(undefined);
    restored.add(path);
    // Not where a client has added it meanwhile, and the file with it.
    return await policies.putNew(domain, policy.value, {
      ...(isEnabled ? {} : { enable: false }),
      ...(mode === undefined ? {} : { mode }),
    });
  };

  const attempt = async (path: string): Promise<void> => {
    const done = await restoreOne(path);
    if (isClosed) return;
    const error = done.ok ? "" : done.error;
    if (done.ok) log.info("tracing policy restored", { path });
    else if (error !== faults.get(path)) log.error("cannot restore tracing policy", { path, err: error });
    if (restored.has(path)) await clear(path);
    else {
      faults.set(path, error);
      await policies.reject(listedAs(path), error.replaceAll("\n", "; "));
    }
  };

  const clear = async (path: string): Promise<void> => {
    if (faults.delete(path)) await policies.remove(listedAs(path));
  };

  const readAll = async (): Promise<void> => {
    const listed = archive.list();
    const error = listed.ok ? "" : listed.error;
    if (error !== unlisted && error !== "")
      log.error("cannot list the kept tracing policies", { err: error });
    unlisted = error;
    if (listed.ok) {
      for (const path of faults.keys()) if (!listed.value.includes(path)) await clear(path);
      for (const path of listed.value) if (!restored.has(path) && !isClosed) await attempt(path);
    }
    calmReads = unlisted === "" && faults.size === 0 ? calmReads + 1 : 0;
  };

  await readAll();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const readAgain = (): void => {
    timer = setTimeout(async () => {
      await readAll();
      if (isClosed) return;
      if (calmReads < READS_UNTIL_GONE) readAgain();
      else onSettled();
    }, intervalMs);
  };
  readAgain();
  return {
    problem() {
      if (unlisted !== "") return `cannot list the kept policies: ${unlisted}`;
      const [first] = faults;
      if (first === undefined) return "";
      const [path, error] = first;
      const others = faults.size === 1 ? "" : ` (and ${faults.size - 1} more, see tetragon policies)`;
      return `cannot restore the kept policy ${path}, repair or remove the file: ${error.split("\n")[0]}${others}`;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** By its path, as the name in the file cannot be read. */
const listedAs = (path: string): PolicyName => ({ name: path, namespace: "", domain: GRPC_DOMAIN });
