// SPDX-License-Identifier: Apache-2.0
// The policy store with everything that policies come from: calls of an earlier run, files, the API server.

import type { ApiClient } from "@rthooks/kube";
import { ok, type Result } from "@rthooks/result";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import { awaitAll } from "../../base/core/await-all.ts";
import type { Enforcement } from "../../enforcement/core/enforcement.ts";
import { toPolicyKey } from "../../filter/core/filter-key.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { combineLoaders } from "../../policies/core/combined-loaders.ts";
import { createEnforcementLoader } from "../../policies/core/enforcement-loader.ts";
import { createFilterLoader, type FilterLoader } from "../../policies/core/filter-loader.ts";
import { noPolicyArchive } from "../../policies/core/policy-archive.ts";
import { createPolicyCommands, type PolicyCommands } from "../../policies/core/policy-commands.ts";
import { createPolicyStore, type PolicyStore } from "../../policies/core/policy-store.ts";
import { type PolicyWatch, watchPolicies } from "../../policies/edge/kube-policies.ts";
import { openPolicyArchive } from "../../policies/edge/policy-archive.ts";
import { openPolicyFiles, type PolicyFiles } from "../../policies/edge/policy-files.ts";
import { type RestoredPolicies, restorePolicies } from "../../policies/edge/restore-policies.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { ParseThread } from "./parse-thread.ts";

export interface PolicyParts {
  readonly policyFilter: PolicyFilter;
  readonly enforcement: Enforcement;
  readonly parser: ParseThread;
  readonly directories: DirectoryWatch;
  /** Undefined without an API server. */
  readonly client: ApiClient | undefined;
  readonly metrics: Pick<AgentMetrics, "countTooLarge">;
}

export interface OpenedPolicies {
  readonly policies: PolicyStore;
  readonly policyCommands: PolicyCommands;
  readonly filterLoader: FilterLoader;
  readonly keptPolicies: RestoredPolicies;
  readonly policyFiles: PolicyFiles;
  /** Undefined where policies do not come from the API server. */
  readonly policyWatch: PolicyWatch | undefined;
}

/** `parts` closes what was opened. The error is one line. */
export async function openPolicies(
  options: AgentOptions,
  { policyFilter, enforcement, parser, directories, client, metrics }: PolicyParts,
  parts: DisposableStack,
): Promise<Result<OpenedPolicies, string>> {
  const { log, policyFile: file, policyDirectory: directory, policyArchive, watchesPolicies, kube } = options;
  const filterLoader = createFilterLoader(policyFilter);
  const loaders = combineLoaders([filterLoader, createEnforcementLoader(enforcement)]);
  const policies = createPolicyStore(loaders, {
    filterId: filterLoader.filterId,
    heldBy: (name) => enforcement.heldBy(toPolicyKey(name)),
  });
  const archive = policyArchive === "" ? ok(noPolicyArchive) : openPolicyArchive(policyArchive);
  if (!archive.ok) return archive;
  // What an earlier agent left is removed only after every source of policies was read completely.
  const settle = awaitAll(["calls", "files", "API server"], () => {
    policyFilter.removeUnusedFilters();
    enforcement.policies.removeUnused();
  });
  const sources = { policies, parser, log };
  const keptPolicies = await restorePolicies({
    ...{ ...sources, archive: archive.value },
    onSettled: () => settle("calls"),
  });
  parts.defer(keptPolicies.close);
  const policyFiles = await openPolicyFiles({
    ...{ ...sources, directories, file, directory },
    onSettled: () => settle("files"),
  });
  parts.defer(policyFiles.close);
  const onAll = (): void => settle("API server");
  let policyWatch: PolicyWatch | undefined;
  if (!watchesPolicies || client === undefined || kube === undefined) onAll();
  else {
    const { countTooLarge: onTooLarge } = metrics;
    policyWatch = watchPolicies({ ...sources, client, onAll, onTooLarge, nodeName: kube.nodeName });
    parts.defer(policyWatch.close);
  }
  const policyCommands = createPolicyCommands({ ...sources, archive: archive.value });
  return ok({ policies, policyCommands, filterLoader, keptPolicies, policyFiles, policyWatch });
}
