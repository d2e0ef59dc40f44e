// SPDX-License-Identifier: Apache-2.0
// By what a policy is known in policy_filter_keys: the same after a restart.

export interface PolicyName {
  readonly name: string;
  /** Empty for the cluster's kind. */
  readonly namespace: string;
  readonly domain: string;
}

export const toPolicyKey = ({ domain, namespace, name }: PolicyName): string =>
  `${domain}/${namespace}/${name}`;

/** Of a selector of workloads inside the policy. */
export const toSelectorKey = (key: string, hooks: string, hookIndex: number, selectorIndex: number): string =>
  `${key}#${hooks}.${hookIndex}.${selectorIndex}`;

const POLICY_KEY = /^[-a-z0-9]+\/([-.a-z0-9]*)\/[a-z0-9][-.a-z0-9]*(?:#[a-z]+\.\d+\.\d+)?$/;

export const isPolicyKey = (key: string): boolean => POLICY_KEY.test(key);

/** Empty for the cluster's kind. */
export const namespaceOfKey = (key: string): string => POLICY_KEY.exec(key)?.[1] ?? "";
