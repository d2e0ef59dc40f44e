// SPDX-License-Identifier: Apache-2.0
// Domains: where a policy comes from. The name of a policy is unique within its domain and namespace.

export const GRPC_DOMAIN = "grpc";
export const FILES_DOMAIN = "static";
export const KUBE_DOMAIN = "k8s";

/** Domains that are listed even without a policy. */
export const builtInDomains: readonly string[] = [GRPC_DOMAIN, KUBE_DOMAIN];

/** Tetragon's own sensors. */
const RESERVED = "sensors";
/** The domain is part of the filter keys, see filter-key.ts. */
const DOMAIN = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export const isDomain = (text: string): boolean => text !== RESERVED && DOMAIN.test(text);

/** Policies of the other domains have a file or an object of the API server that decides what they are. */
export const isKeptDomain = (domain: string): boolean => domain !== FILES_DOMAIN && domain !== KUBE_DOMAIN;
