// SPDX-License-Identifier: Apache-2.0
// The program as its users meet it: a process.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = mkdtempSync(join(tmpdir(), "rthooks-main-"));
afterAll(() => rmSync(directory, { recursive: true }));

const main = join(import.meta.dir, "main.ts");

function start(...argv: readonly string[]) {
  const child = Bun.spawn([process.execPath, main, ...argv], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const finish = async () => ({
    stdout: await new Response(child.stdout).text(),
    stderr: await new Response(child.stderr).text(),
    code: await child.exited,
  });
  return { child, finish };
}

const run = (...argv: readonly string[]) => start(...argv).finish();

async function startAgent(name: string, ...flags: readonly string[]) {
  const path = join(directory, `${name}.sock`);
  const agent = start("--info-file=", "--server-address", `unix://${path}`, ...flags);
  while (!existsSync(path) && agent.child.exitCode === null) await Bun.sleep(2);
  return { ...agent, path, address: `unix://${path}` };
}

describe("the command line", () => {
  test.each([
    { argv: ["--help"], says: "--pods-file" },
    { argv: ["help"], says: "--pods-file" },
    { argv: ["-h"], says: "tetragon status" },
    { argv: ["status", "--help"], says: "--timeout" },
    { argv: ["version", "--help"], says: "version" },
    { argv: ["completion", "-h"], says: "bash|zsh|fish" },
    { argv: ["version"], says: "tetragon dev" },
    { argv: ["version", "-o", "json"], says: '"version": "dev"' },
    { argv: ["version", "-o", "yaml"], says: "version: dev" },
    { argv: ["--version"], says: "tetragon dev" },
    { argv: ["completion", "bash"], says: "tetragon" },
    { argv: ["completion", "zsh"], says: "tetragon" },
    { argv: ["completion", "fish"], says: "tetragon" },
  ])("$argv prints on stdout and ends well", async ({ argv, says }) => {
    const { stdout, stderr, code } = await run(...argv);
    expect(stdout).toContain(says);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  });

  test.each([
    { argv: ["--bogus"], says: "--bogus" },
    { argv: ["bogus"], says: "bogus" },
    { argv: ["--drain-timeout", "soon"], says: "--drain-timeout" },
    { argv: ["--log-format", "xml"], says: "text" },
    { argv: ["--server-address="], says: "--server-address" },
    { argv: ["--server-address", "/run/t.sock"], says: "unix:///run/t.sock" },
    { argv: ["--cgroup-root", "/nowhere"], says: "/nowhere" },
    { argv: ["status", "--bogus"], says: "--bogus" },
    { argv: ["status", "extra"], says: "extra" },
    { argv: ["status", "-o", "xml"], says: "json" },
    {
      argv: ["status", "--server-address", "unix:///nowhere/t.sock"],
      says: "cannot reach the agent at unix:///nowhere/t.sock",
    },
    { argv: ["completion", "tcsh"], says: "tcsh" },
    { argv: ["completion"], says: "bash" },
    { argv: ["version", "--bogus"], says: "--bogus" },
  ])("$argv is one clear line on stderr and exit code 1", async ({ argv, says }) => {
    const { stdout, stderr, code } = await run(...argv);
    expect(stderr).toContain(says);
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("tetragon: ")),
    ).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
  });
});

describe("the agent as a process", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it well and removes its socket", async (signal) => {
    const { child, path, finish } = await startAgent(signal);
    child.kill(signal);
    const { stderr, code } = await finish();
    expect(code).toBe(0);
    expect(existsSync(path)).toBeFalse();
    expect(stderr).toContain(`signal=${signal}`);
    expect(stderr).toContain("msg=stopped");
  });

  test("a second signal ends it at once", async () => {
    const { child, finish } = await startAgent("twice");
    child.kill("SIGSTOP");
    child.kill("SIGTERM");
    child.kill("SIGINT");
    child.kill("SIGCONT");
    const { stderr, code } = await finish();
    expect(code).toBe(130);
    expect(stderr).toContain("second signal");
  });

  test("a second agent on its socket ends at once and names it; the first one goes on", async () => {
    const first = await startAgent("busy");
    const { stderr, code } = await run("--server-address", first.address);
    expect(stderr).toContain(`process ${first.child.pid} (`);
    expect(code).toBe(1);
    expect((await run("status", "--server-address", first.address)).code).toBe(0);
    first.child.kill();
    await first.finish();
  });

  test("its file tells clients where it is, while it is", async () => {
    const file = join(directory, "info.json");
    const agent = await startAgent("told", "--info-file", file);
    while (!existsSync(file)) await Bun.sleep(2);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ server_address: agent.address });
    agent.child.kill("SIGTERM");
    await agent.child.exited;
    expect(existsSync(file)).toBe(false);
  });

  test("it listens on several addresses", async () => {
    const other = join(directory, "other.sock");
    const agent = await startAgent("several", "--server-address", `unix:${other}`);
    while (!existsSync(other)) await Bun.sleep(2);
    for (const address of [agent.address, `unix://${other}`]) {
      const { stdout } = await run("status", "-o", "json", "--server-address", address);
      expect(JSON.parse(stdout)).toEqual({ health: "running", containers: [] });
    }
    agent.child.kill();
    await agent.finish();
    expect(existsSync(other)).toBeFalse();
  });

  test.each(["status", "policies"])("%s -o text is the table, as in older scripts", async (command) => {
    const agent = await startAgent(`text-${command}`);
    const [text, table] = await Promise.all(
      ["text", "table"].map((format) => run(command, "-o", format, "--server-address", agent.address)),
    );
    expect(text).toEqual({ stdout: expect.stringContaining("The agent has no"), stderr: "", code: 0 });
    expect(text).toEqual(table);
    agent.child.kill();
    await agent.finish();
  });

  test("when one of its addresses cannot be had it does not stay half there", async () => {
    const path = join(directory, "half.sock");
    const { stderr, code } = await run("--server-address", `unix://${path},192.0.2.1:1`);
    expect(stderr).toContain("192.0.2.1:1");
    expect(code).toBe(1);
    expect(existsSync(path)).toBeFalse();
  });

  test("its log is JSON where that is asked for", async () => {
    const agent = await startAgent("json", "--log-format", "json");
    agent.child.kill();
    const { stderr } = await agent.finish();
    const messages = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).msg);
    expect(messages).toEqual(["agent starts", "listening", "stopping", "stopped"]);
  });
});
