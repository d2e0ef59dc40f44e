// SPDX-License-Identifier: Apache-2.0
// The built programs as processes: what their output and the signals of other tools do to them.
import { afterAll, describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { type RunningProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook, findNriPlugin, findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("processes");
afterAll(workspace.close);

/** Standard output is a pipe whose reader has gone before the program writes. */
async function runIntoClosedPipe(argv: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const script = 'read -r _; exec "$0" "$@"';
  const child = spawn("bash", ["-c", script, ...argv], { stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdout.destroy();
  await new Promise((resolve) => child.stdout.once("close", resolve));
  child.stdin.end("go\n");
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, stderr };
}

describe("output whose reader has gone ends quietly", () => {
  test.each([
    { name: "help of the agent", argv: [findAgent(), "--help"] },
    { name: "a completion script", argv: [findAgent(), "completion", "bash"] },
    { name: "help of the plugin", argv: [findNriPlugin(), "--help"] },
    { name: "configuration of the plugin", argv: [findNriPlugin(), "--just-print-config"] },
    { name: "help of the set-up tool", argv: [findSetup(), "--help"] },
    { name: "configuration by the set-up tool", argv: [findSetup(), "print-config"] },
    { name: "what the set-up tool found", argv: [findSetup(), "detect"] },
    { name: "help of the hook", argv: [findHook(), "--help"] },
  ])("$name", async ({ argv }) => {
    const { code, stderr } = await runIntoClosedPipe(argv);
    expect(stderr).toBe("");
    expect([0, 141]).toContain(code ?? -1);
  });
});

describe("a signal that nothing is meant by ends no daemon, and is logged", () => {
  const socket = workspace.path("agent.sock");
  const daemons: readonly { name: string; argv: readonly string[]; ready: string }[] = [
    {
      name: "agent",
      argv: [findAgent(), "--server-address", `unix://${socket}`, "--info-file="],
      ready: "listening",
    },
    {
      name: "plugin",
      argv: [findNriPlugin(), "--nri-socket", workspace.path("none")],
      ready: "msg=starting",
    },
    {
      name: "set-up tool",
      argv: [
        ...[findSetup(), "install", "--daemonize", "--libc", "host"],
        ...["--local-install-dir", workspace.path("opt"), "--host-install-dir", workspace.path("opt")],
        ...["--local-binary", findHook(), "--oci-hooks.local-dir", workspace.path("hooks")],
      ],
      ready: "waiting for SIGTERM",
    },
  ];
  test.each([...daemons])("$name", async ({ argv, ready }) => {
    const daemon: RunningProcess = startProcess(argv, {}, workspace);
    await waitFor(`"${ready}" in the log`, async () => {
      if (daemon.hasExited()) throw new Error(`it ended: ${daemon.stderr()}`);
      return daemon.stderr().includes(ready);
    });
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGHUP", "SIGALRM", "SIGIO"] as const) {
      daemon.signal(signal);
      await waitFor(`${signal} in the log`, async () => {
        if (daemon.hasExited()) throw new Error(`it ended at ${signal}: ${daemon.stderr()}`);
        return daemon.stderr().includes(`signal=${signal}`);
      });
    }
    daemon.signal("SIGTERM");
    await daemon.exited;
  });
});
