// SPDX-License-Identifier: Apache-2.0

export interface Orders {
  readonly client: "frames" | "grpc-js";
  readonly socketPath: string;
  readonly connections: number;
  /** The cgroups are this with a number after it, from 0. */
  readonly cgroupPrefix: string;
  /** One message is sent for each container; over and over if there are `seconds`. */
  readonly containers: number;
  readonly seconds?: number;
}

export interface Findings {
  readonly calls: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

// Both ends are ours and of one build: the text is trusted, and typed here once.
export const parseOrders = (json: string): Orders => JSON.parse(json);
export const parseFindings = (json: string): Findings => JSON.parse(json);
