// SPDX-License-Identifier: Apache-2.0

/** gRPC's codes, as far as they are used here. */
export const ttrpcCode = {
  unknown: 2,
  invalidArgument: 3,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export interface TtrpcStatus {
  readonly code: number;
  /** What the runtime shows its user. */
  readonly message: string;
}
