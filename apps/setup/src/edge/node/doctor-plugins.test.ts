// SPDX-License-Identifier: Apache-2.0
// The findings on NRI plugins: whether they serve the runtime, and whether they hold its containers.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Finding } from "../../core/findings.ts";
import { diagnose, findWork, installNri, nri, pluginArgs, standard } from "./ask-doctor.fixture.ts";
import { createNodeRoot, type NodeRoot } from "./node-root.fixture.ts";

let node: NodeRoot;
beforeEach(() => {
  node = createNodeRoot();
  node.write("/sys/fs/cgroup/cgroup.controllers", "");
  node.link("/var/run", "/run");
});
afterEach(() => node.close());

test.each([
  { name: "the plugin", words: pluginArgs, work: {} },
  { name: "the plugin, run by a loader", words: ["ld.so", "--library-path", "/x", ...pluginArgs], work: {} },
  { name: "a plugin that the runtime launched", words: ["/opt/nri/plugins/10-tetragon"], work: {} },
  {
    name: "this program",
    words: ["tetragon-oci-hook-setup", "install", "--daemonize", "--interface=nri-hook"],
    work: {},
  },
  {
    name: "a plugin of another runtime",
    words: ["tetragon-nri-hook", "--nri-socket=/run/other.sock"],
    work: { wiring: [installNri] },
  },
  {
    name: "this program, for a hooks directory",
    words: ["tetragon-oci-hook-setup", "install", "--daemonize"],
    work: { wiring: [installNri] },
  },
])("NRI is on, and this runs: $name", async ({ words, work }) => {
  node.write(standard, nri("disable = false"));
  node.write("/proc/77/cmdline", `${words.join("\0")}\0`);
  await node.listen("/run/nri/nri.sock");
  const { findings } = await diagnose(node);
  const failed = findings.filter(({ status, check }) => status === "fail" && check !== "agent");
  const toFix = ({ fix }: Finding): string[] => fix.map((line) => line.replaceAll(node.root, "/host"));
  expect<unknown>(Object.fromEntries(failed.map((finding) => [finding.check, toFix(finding)]))).toEqual(work);
});

describe("containers that an added hook does not hold", () => {
  const kata = `version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata]
runtime_type = "io.containerd.kata.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.gvisor]
runtime_type = "io.containerd.runsc.v1"
[plugins."io.containerd.nri.v1.nri"]
disable = false
`;
  test.each([
    { mode: "inject", isReported: true },
    { mode: "direct", isReported: false },
  ])(
    "handlers that may ignore OCI hooks, in mode $mode: reported $isReported",
    async ({ mode, isReported }) => {
      node.write(standard, kata);
      node.write("/proc/77/cmdline", ["tetragon-nri-hook", "--mode", mode, ""].join("\0"));
      const { findings } = await diagnose(node);
      const reported = findings.filter(({ message }) => message.includes("io.containerd.kata.v2"));
      expect(reported.map(({ status }) => status)).toEqual(isReported ? ["warn"] : []);
      if (isReported) expect(reported[0]?.message).toContain("gvisor (io.containerd.runsc.v1)");
    },
  );

  const validator = `version = 3
[plugins."io.containerd.nri.v1.nri"]
disable = false
[plugins."io.containerd.nri.v1.nri".default_validator]
enable = true
reject_oci_hook_adjustment = true
`;
  test("a validator that rejects added hooks: direct mode is advised", async () => {
    node.write(standard, validator);
    await node.listen("/run/nri/nri.sock");
    expect(await findWork(node)).toEqual({ wiring: [`${installNri} --nri-hook.mode direct`] });
    node.write("/proc/77/cmdline", "tetragon-nri-hook\0");
    const { findings } = await diagnose(node);
    expect(findings).toContainEqual(
      expect.objectContaining({
        status: "fail",
        message: expect.stringContaining("reject_oci_hook_adjustment"),
        fix: [expect.stringContaining("--nri-hook.mode direct")],
      }),
    );
    node.write("/proc/77/cmdline", "tetragon-nri-hook\0--mode\0direct\0");
    expect((await diagnose(node)).findings.filter(({ message }) => message.includes("reject_oci"))).toEqual(
      [],
    );
  });
});

test.each([
  { value: 1, statuses: ["ok", "fail"] },
  { value: 0, statuses: ["ok"] },
])("a plugin whose metrics say unsynchronized $value", async ({ value, statuses }) => {
  node.write(standard, nri("disable = false"));
  await node.listen("/run/nri/nri.sock");
  const server = Bun.serve({
    unix: `${node.root}/run/metrics.sock`,
    fetch: () => new Response(`# HELP x\ntetragon_nri_hook_unsynchronized ${value}\n`),
  });
  const words = [...pluginArgs, "--metrics-address", "unix:///run/metrics.sock"];
  node.write("/proc/77/cmdline", `${words.join("\0")}\0`);
  const { findings } = await diagnose(node);
  await server.stop(true);
  const wiring = findings.filter(({ check }) => check === "wiring");
  expect<readonly string[]>(wiring.map(({ status }) => status)).toEqual(statuses);
});
