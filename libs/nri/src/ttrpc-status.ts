// SPDX-License-Identifier: Apache-2.0

export interface TtrpcStatus {
  /** A code of gRPC (`grpcCode`). */
  readonly code: number;
  /** The error that the runtime shows. */
  readonly message: string;
}
