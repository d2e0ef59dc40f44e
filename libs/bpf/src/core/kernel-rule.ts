// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import type { PrefixMatch } from "./prefix-table.ts";
import { PATH_BYTES, type Prefix, toAddressPrefix, toPathPrefix } from "./rule-layout.ts";

/** What a policy's selector says about executions. */
export interface ExecRule {
  readonly kind: "exec";
  /** Absolute paths as a process in the container sees them. */
  readonly paths: readonly { readonly path: string; readonly match: "exact" | "prefix" }[];
  /** The rule is about all other paths. */
  readonly isNegated: boolean;
  /** False: it only counts. */
  readonly denies: boolean;
}

/** What a policy's selector says about connections. */
export interface ConnectRule {
  readonly kind: "connect";
  /** Addresses and blocks in CIDR notation, IPv4 and IPv6; "::/0" covers IPv4 too. */
  readonly addresses: readonly string[];
  /** The rule is about all other addresses. */
  readonly isNegated: boolean;
  /** Empty: any port. */
  readonly ports: readonly number[];
  readonly sockets: "stream" | "datagram" | "all";
  /** False: it only counts. */
  readonly denies: boolean;
}

export type KernelRule = ExecRule | ConnectRule;

/** The error is one line and names the path or address. */
export function toPrefixMatch(rule: KernelRule): Result<PrefixMatch, string> {
  const prefixes: Prefix[] = [];
  for (const [text, prefix] of rule.kind === "exec" ? toPaths(rule) : toAddresses(rule)) {
    if (prefix === undefined)
      return err(rule.kind === "exec" ? describePath(text) : `not an address: ${text}`);
    prefixes.push(prefix);
  }
  return ok({ prefixes, isNegated: rule.isNegated });
}

const toPaths = ({ paths }: ExecRule) =>
  paths.map(
    ({ path, match }) => [path, path.startsWith("/") ? toPathPrefix(path, match) : undefined] as const,
  );

const toAddresses = ({ addresses }: ConnectRule) =>
  addresses.map((address) => [address, toAddressPrefix(address)] as const);

const describePath = (path: string): string =>
  `not an absolute path of less than ${PATH_BYTES} bytes: ${path.slice(0, PATH_BYTES)}`;
