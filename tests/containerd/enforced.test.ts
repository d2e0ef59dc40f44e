// SPDX-License-Identifier: Apache-2.0
// A container that the real containerd makes through CRI: the first things that it does are forbidden in its namespace.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAgent } from "../harness/agent.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { prepareBaseSpec } from "./prepare-base-spec.ts";

const script = [
  "/out/touch /out/mark",
  "/bin/busybox nc -w 5 127.0.0.2 9 2>/out/connect",
  "echo >/out/ended",
  "sleep 2147483647",
].join("; ");

const policy = {
  ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicyNamespaced" },
  metadata: { name: "first-acts", namespace: "shop" },
  spec: {
    lsmhooks: [
      {
        ...{ hook: "bprm_check_security", args: [{ index: 0, type: "linux_binprm" }] },
        selectors: [
          {
            matchArgs: [{ index: 0, operator: "Prefix", values: ["/out/"] }],
            matchActions: [{ action: "Sigkill" }],
          },
        ],
      },
    ],
    kprobes: [
      {
        ...{ call: "security_socket_connect", syscall: false, args: [{ index: 1, type: "sockaddr" }] },
        selectors: [
          {
            matchArgs: [{ index: 1, operator: "DAddr", values: ["127.0.0.2"] }],
            matchActions: [{ action: "Override", argError: -1 }],
          },
        ],
      },
    ],
  },
};

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const workspace = createWorkspace("ctdf");
  let containerd: Containerd;
  beforeAll(async () => {
    const policies = workspace.path("policies");
    mkdirSync(policies);
    writeFileSync(join(policies, "first-acts.json"), JSON.stringify(policy));
    const agent = await startAgent(workspace, {
      flags: [
        ...["--enable-policy-filter", "--bpf-dir", join(mountBpfFs(workspace), "tetragon")],
        ...["--tracing-policy-dir", policies],
      ],
    });
    const hookArgs = ["--grpc-address", agent.address, "--log-fname", workspace.path("hook.log")];
    containerd = await startContainerd(workspace, release, {
      enableNri: false,
      prepare: (configPath) => prepareBaseSpec(release, configPath, hookArgs),
    });
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  test.each([
    { namespace: "shop", executed: false, connection: "Operation not permitted" },
    { namespace: "ops", executed: true, connection: "Connection refused" },
  ])(
    "the first acts of a container in $namespace",
    async ({ namespace, executed, connection }) => {
      const pod = await runPod(containerd, { namespace });
      const { id, outDir } = await pod.createContainer({ script });
      copyFileSync("/bin/busybox", join(outDir, "touch"));
      await containerd.cri.startContainer(id);
      await waitFor("its last act", () => existsSync(join(outDir, "ended")), 30_000);
      expect(existsSync(join(outDir, "mark"))).toBe(executed);
      expect(readFileSync(join(outDir, "connect"), "utf8")).toContain(connection);
      await pod.remove();
    },
    60_000,
  );
});
