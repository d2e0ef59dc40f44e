// SPDX-License-Identifier: Apache-2.0
// containerd itself launches the plugin: one end of a socket pair as file 3, hardly any environment, no terminal.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { type ContainerdRelease, containerdReleases } from "../harness/containerd-release.ts";
import { findHook, findNriPlugin } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";

const name = "07-tetragon";

interface Launch {
  readonly name: string;
  readonly source: "hook" | "nri";
  /** Puts the plugin into containerd's folder of plugins, and what it must know to where it looks. */
  install(pluginDir: string, confDir: string, hookArgs: readonly string[]): void;
}

const launches: readonly Launch[] = [
  {
    name: "a link, set up by the file that containerd hands over",
    source: "hook",
    install: (pluginDir, confDir, hookArgs) => {
      symlinkSync(findNriPlugin(), join(pluginDir, name));
      const config = { "oci-hook-path": findHook(), "hook-args": hookArgs };
      writeFileSync(join(confDir, `${name}.conf`), JSON.stringify(config));
    },
  },
  {
    name: "a script that passes flags on",
    source: "nri",
    install: (pluginDir, _confDir, hookArgs) => {
      const command = [
        findNriPlugin(),
        "--mode",
        "direct",
        "--oci-hook-path",
        findHook(),
        "hook-args",
        ...hookArgs,
      ];
      writeFileSync(join(pluginDir, name), `#!/bin/sh\nexec ${command.join(" ")}\n`);
      chmodSync(join(pluginDir, name), 0o755);
    },
  },
];

function testLaunch(launch: Launch, release: ContainerdRelease): void {
  const workspace = createWorkspace("ctn");
  const pluginDir = workspace.path("plugins");
  let containerd: Containerd;
  let control: AgentControl;
  beforeAll(async () => {
    control = createAgentControl(workspace);
    await control.start();
    mkdirSync(pluginDir);
    containerd = await startContainerd(workspace, release, {
      pluginDir,
      prepare: (configPath) =>
        launch.install(pluginDir, join(configPath, "..", "nri-conf"), [
          ...["--grpc-address", `unix://${control.socketPath}`, "--log-fname", workspace.path("hook.log")],
          ...["--grpc-timeout", "1500ms"],
        ]),
    });
  }, 60_000);
  afterAll(() => workspace.close(), 60_000);

  const expectKnown = async () => {
    const pod = await runPod(containerd);
    const container = await pod.runContainer();
    const record = (await control.agent().containers()).find(({ id }) => id === container.id);
    expect(record).toMatchObject({ podName: pod.name, podUid: pod.uid, source: launch.source });
    expect(record?.podLabels.get("app")).toBe("web");
    await pod.remove();
  };

  test("it holds containers", expectKnown, 60_000);

  test("it ends with containerd, and the next containerd launches it again", async () => {
    await containerd.stop();
    // Its plugins are synchronized before its CRI answers.
    await containerd.start();
    await expectKnown();
  }, 60_000);
}

describe.each(
  launches.flatMap((launch) =>
    containerdReleases.map((release) => ({ launch, release, as: launch.name, version: release.version })),
  ),
)("launched by containerd $version: $as", ({ launch, release }) => testLaunch(launch, release));
