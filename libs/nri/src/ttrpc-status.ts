// SPDX-License-Identifier: Apache-2.0

export interface TtrpcStatus {
  /** A code of gRPC (`grpcCode`). */
  readonly code: number;
  /** What the runtime shows its user. */
  readonly message: string;
}
