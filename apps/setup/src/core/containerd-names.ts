// SPDX-License-Identifier: Apache-2.0
// What containerd calls its plugins in each version of its configuration file. Version 1 has short names
// (containerd 1.x services/server/config, Decode); version 4 keeps the names of 3 for what is used here.

export interface ContainerdNames {
  readonly nri: readonly string[];
  readonly runtimes: readonly string[];
  /** As disabled_plugins writes them. */
  readonly nriId: string;
  readonly criIds: readonly string[];
}

const NRI = "io.containerd.nri.v1.nri";
const CRI = "io.containerd.grpc.v1.cri";
const CRI_RUNTIME = "io.containerd.cri.v1.runtime";

/** Undefined for a version that does not exist yet. */
export function findContainerdNames(version: number): ContainerdNames | undefined {
  switch (version) {
    case 1:
      return {
        nri: ["plugins", "nri"],
        runtimes: ["plugins", "cri", "containerd", "runtimes"],
        nriId: "nri",
        criIds: ["cri"],
      };
    case 2:
      return {
        nri: ["plugins", NRI],
        runtimes: ["plugins", CRI, "containerd", "runtimes"],
        nriId: NRI,
        criIds: [CRI],
      };
    case 3:
    case 4:
      return {
        nri: ["plugins", NRI],
        runtimes: ["plugins", CRI_RUNTIME, "containerd", "runtimes"],
        nriId: NRI,
        criIds: [CRI, CRI_RUNTIME],
      };
    default:
      return undefined;
  }
}
