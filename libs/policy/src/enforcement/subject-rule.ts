// SPDX-License-Identifier: Apache-2.0
// What a selector of a policy becomes: a rule for the kernel, or the reason why not.

import type { Filter } from "../filter/filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import type { PrefixSet } from "./prefix-set.ts";

export interface RulePath {
  /** Absolute, as a process in the container sees it. */
  readonly path: string;
  readonly match: "exact" | "prefix";
}

/** `stream`: TCP and other stream sockets. `datagram`: all others, raw sockets included. */
export type RuleSockets = "stream" | "datagram" | "all";

/** What a rule is about, while filters are put together. */
export type RuleScope =
  | { readonly kind: "exec"; readonly paths: PrefixSet<RulePath> }
  | {
      readonly kind: "connect";
      readonly addresses: PrefixSet<string>;
      /** Undefined: any port. */
      readonly ports: ReadonlySet<number> | undefined;
      readonly sockets: RuleSockets;
    };

/** What a rule is about, in the form in which the kernel's maps take it. */
export type RuleSubject =
  | {
      readonly kind: "exec";
      readonly paths: readonly RulePath[];
      /** The rule is about all other paths. */
      readonly isNegated: boolean;
    }
  | {
      readonly kind: "connect";
      /** Addresses and blocks in CIDR notation. */
      readonly addresses: readonly string[];
      /** The rule is about all other addresses. */
      readonly isNegated: boolean;
      /** Empty: any port. */
      readonly ports: readonly number[];
      readonly sockets: RuleSockets;
    };

export type SubjectEffect =
  | { readonly kind: "kill" }
  /** Of a signal other than SIGKILL. */
  | { readonly kind: "signal"; readonly number: number }
  /** The call fails with EPERM. */
  | { readonly kind: "override" };

export interface RuleAction {
  /** Empty: the rule only counts. */
  readonly effects: readonly SubjectEffect[];
  /** An event is due for each match: the default, unless the selector has NoPost. */
  readonly posts: boolean;
  /** Of these events, as written: "5m". */
  readonly rateLimit: string | undefined;
}

export interface SubjectRule {
  readonly subject: RuleSubject;
  readonly action: RuleAction;
  /** The rule is about the containers that all of these match. None: about all containers. */
  readonly filters: readonly Filter[];
  /** The rule is also about processes outside of all containers. The programs judge only those of containers. */
  readonly includesHost: boolean;
  /** Where the rule is wider or narrower than the words of the policy; sentences. */
  readonly notes: readonly string[];
}

export type SubjectOutcome = { readonly selector: string } & (
  | { readonly kind: "rule"; readonly rule: SubjectRule }
  | { readonly kind: "unsupported"; readonly missing: MissingCapability }
  /** Its filters contradict each other, or earlier selectors of its hook match all that it matches. */
  | { readonly kind: "never_matches" }
);

/** One line, for a selector like "kprobes[0].selectors[1]". */
export const renderMissing = (selector: string, { field, needs }: MissingCapability): string =>
  `${selector}: ${field} needs ${needs}`;
