// SPDX-License-Identifier: Apache-2.0
// Filter keys: the names of filters in policy_filter_keys. A policy has the same keys after a restart.

export interface PolicyName {
  readonly name: string;
  /** Empty for a cluster-wide policy. */
  readonly namespace: string;
  readonly domain: string;
}

/** The key of the policy's own filter. */
export const toPolicyKey = ({ domain, namespace, name }: PolicyName): string =>
  `${domain}/${namespace}/${name}`;

/** The key of the filter of one selector with `matchWorkloads`; `key` is that of its policy. */
export const toSelectorKey = (key: string, hooks: string, hookIndex: number, selectorIndex: number): string =>
  `${key}#${hooks}.${hookIndex}.${selectorIndex}`;

const FILTER_KEY = /^[-a-z0-9]+\/([-.a-z0-9]*)\/[a-z0-9][-.a-z0-9]*(?:#[a-z]+\.\d+\.\d+)?$/;

export const isFilterKey = (key: string): boolean => FILTER_KEY.test(key);

/** Empty for a cluster-wide policy. */
export const namespaceOfKey = (key: string): string => FILTER_KEY.exec(key)?.[1] ?? "";
