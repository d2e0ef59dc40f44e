// SPDX-License-Identifier: Apache-2.0
// The parts of NRI's messages (containerd/nri pkg/api/api.proto) that a plugin reads and writes. The generated messages have
// the same fields, so that they need no conversion.

import { ContainerState } from "@rthooks/proto/nri";

/** NRI's PodSandbox. */
export interface NriPodSandbox {
  readonly id: string;
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** A RuntimeClass' `handler`; empty for the default one. */
  readonly runtimeHandler: string;
}

interface NriMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** NRI's Hooks, as far as this project uses them. */
export interface NriHooks {
  readonly createRuntime: readonly {
    readonly path: string;
    readonly args: readonly string[];
    /** "NAME=value" */
    readonly env: readonly string[];
  }[];
}

/** NRI's Container. */
export interface NriContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly name: string;
  /** A number of NRI's ContainerState, see {@link isStopped}. */
  readonly state: number;
  readonly annotations: ReadonlyMap<string, string>;
  readonly mounts: readonly NriMount[];
  /** Only at events: the plugin does not keep those of a synchronization, whose environments may be large. */
  readonly hooks: NriHooks | undefined;
  readonly linux: { readonly cgroupsPath: string } | undefined;
  /** Of the first process; 0 before the container is created. */
  readonly pid: number;
  /** Undefined before NRI 0.12.2. */
  readonly image: { readonly name: string } | undefined;
}

export const isStopped = ({ state }: NriContainer): boolean => state === ContainerState.CONTAINER_STOPPED;

/** NRI's ConfigureRequest. */
export interface NriConfiguration {
  /** The configuration file of a launched plugin; empty for others. */
  readonly config: string;
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  /** Milliseconds; 0 before NRI 0.7. */
  readonly requestTimeout: bigint;
}

/** NRI's ContainerAdjustment, as far as it adds OCI hooks. */
export interface NriAdjustment {
  readonly hooks: {
    readonly createRuntime: {
      readonly path: string;
      readonly args: string[];
      readonly env: string[];
      /** Seconds. */
      readonly timeout: { readonly value: bigint } | undefined;
    }[];
  };
}
