// SPDX-License-Identifier: Apache-2.0

import type { Flag } from "@rthooks/flags";

/** A flag that another program of the same purpose has, and this one does not: it is accepted. */
export interface ForeignFlag {
  readonly name: string;
  /** With the default that it has there. */
  readonly value: Flag;
  /** What it means here, in one line for users. */
  readonly here: string;
  /** The flag of this program that takes its value, of the same kind. */
  readonly takenBy?: string;
}

/** By name. A flag with `takenBy` has a value of the kind that the flag of this program has. */
export type ForeignFlags = ReadonlyMap<string, ForeignFlag>;
