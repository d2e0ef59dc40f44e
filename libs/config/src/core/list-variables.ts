// SPDX-License-Identifier: Apache-2.0

import type { Setting } from "./setting.ts";

export interface Variables {
  readonly settings: readonly Setting[];
  /** Names of variables with the prefix that belong to no flag. */
  readonly others: readonly string[];
}

/** What Kubernetes sets in each pod for a service of its namespace (kubelet, pkg/kubelet/envvars). */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/**
 * The variables for these flags, by viper's rules: TETRAGON_LOG_LEVEL for `log-level` with the prefix "TETRAGON_". An empty
 * variable is none.
 */
export function listVariables(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
  names: Iterable<string>,
): Variables {
  const flags = new Map([...names].map((name) => [toVariable(prefix, name), name]));
  const settings: Setting[] = [];
  const others: string[] = [];
  for (const [variable, text = ""] of Object.entries(environment)) {
    const name = flags.get(variable);
    if (text === "") continue;
    if (name !== undefined) settings.push({ name, text, origin: variable });
    else if (variable.startsWith(prefix) && !serviceLink.test(variable)) others.push(variable);
  }
  return { settings, others };
}

const toVariable = (prefix: string, name: string): string =>
  `${prefix}${name.replaceAll("-", "_").toUpperCase()}`;
