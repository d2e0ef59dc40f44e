// SPDX-License-Identifier: Apache-2.0
import { createContainerSpec, firstActScript } from "../harness/bundle.ts";
import { containerdAnnotations } from "../harness/hook.ts";

export interface GuestContainer {
  readonly name: string;
  readonly pod: {
    readonly uid: string;
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly hookFlags: readonly string[];
  /** False: the spec has no linux.cgroupsPath, and the runtime chooses. */
  readonly hasCgroupsPath?: boolean;
}

export const cgroupPathOf = ({ name, pod }: GuestContainer): string =>
  `/kubepods/besteffort/pod${pod.uid}/${name}`;

/** The container's bundle: it writes its first act to /bundles/NAME/out, and runs until `end` is there. */
export function createContainerFiles(container: GuestContainer): Readonly<Record<string, string>> {
  const { name, pod, hookFlags, hasCgroupsPath = true } = container;
  const spec = createContainerSpec({
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.1; done`,
    rootfs: "/rootfs",
    outDir: `/bundles/${name}/out`,
    cgroupsPath: hasCgroupsPath ? cgroupPathOf(container) : "",
    annotations: containerdAnnotations({ ...pod, container: name }),
    hooks: {
      createRuntime: [
        {
          path: "/usr/bin/tetragon-oci-hook",
          args: ["tetragon-oci-hook", "createRuntime", "--log-fname", `/tmp/${name}.log`, ...hookFlags],
          env: [`RTHOOKS_POD=${JSON.stringify(pod)}`],
        },
      ],
    },
  });
  return { [`/bundles/${name}/config.json`]: JSON.stringify(spec) };
}
