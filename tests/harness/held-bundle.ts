// SPDX-License-Identifier: Apache-2.0
import { type Bundle, createBundle, firstActScript } from "./bundle.ts";
import { containerdAnnotations } from "./hook.ts";
import { findHook } from "./programs.ts";
import type { Runc } from "./runc.ts";
import type { Workspace } from "./workspace.ts";

export interface HeldBundleOptions {
  readonly id: string;
  readonly pod: { readonly uid: string; readonly namespace: string; readonly name: string };
  readonly container: string;
  readonly image?: string;
  /** Of the agent that the hook asks. */
  readonly agentAddress: string;
  readonly hookLog: string;
  readonly hookFlags?: readonly string[];
  /** What it does after its first write; by default it runs until the file /out/end exists. */
  readonly script?: string;
}

/** A container of containerd's pod, which the built hook holds. */
export function createHeldBundle(
  workspace: Workspace,
  runc: Runc,
  { id, pod, container, image, agentAddress, hookLog, hookFlags = [], script }: HeldBundleOptions,
): Bundle {
  return createBundle(workspace, {
    id,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${id}`,
    annotations: {
      ...containerdAnnotations({ ...pod, container }),
      ...(image === undefined ? {} : { "io.kubernetes.cri.image-name": image }),
    },
    script: `${firstActScript}; ${script ?? "while [ ! -e /out/end ]; do sleep 0.02; done"}`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", agentAddress],
            ...["--log-fname", hookLog, ...hookFlags],
          ],
        },
      ],
    },
  });
}
