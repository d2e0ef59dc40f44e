// SPDX-License-Identifier: Apache-2.0
// The flags of the program from files and from the environment: a process.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = mkdtempSync(join(tmpdir(), "rthooks-flags-"));
afterAll(() => rmSync(directory, { recursive: true }));
const main = join(import.meta.dir, "main.ts");

function start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([process.execPath, main, ...argv], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    env: { ...process.env, ...environment },
  });
  let stderr = "";
  const ended = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  return {
    child,
    stderr: () => stderr,
    async finish() {
      await ended;
      return { stderr, code: await child.exited };
    },
  };
}

function writeConfig(name: string, files: Readonly<Record<string, string>>): string {
  const config = join(directory, name);
  mkdirSync(config);
  for (const [flag, text] of Object.entries(files)) writeFileSync(join(config, flag), `${text}\n`);
  return config;
}

test("an agent runs from a mounted configuration of Tetragon, and tells what of it counts", async () => {
  const socket = join(directory, "t.sock");
  const config = writeConfig("mounted", {
    ...{ "server-address": `unix://${socket}`, "log-format": "json", "metrics-label-filter": "namespace" },
    ...{ "enable-process-cred": "false", "redaction-filters": '{"redact":["x"]}', "process-cach-size": "1" },
    ...{ debug: "false", "drain-timeout": "1s" },
  });
  const agent = start(["--info-file=", "--config-dir", config], {
    ...{ TETRAGON_DRAIN_TIMEOUT: "2s", TETRAGON_ENABLE_CGIDMAP: "true", TETRAGON_SERVICE_HOST: "10.0.0.1" },
  });
  while (!existsSync(socket) && agent.child.exitCode === null) await Bun.sleep(5);
  for (const flag of ["drain-timeout", "log-level"]) {
    writeFileSync(join(config, ".new"), "debug");
    renameSync(join(config, ".new"), join(config, flag));
  }
  while (!agent.stderr().includes("after a restart")) await Bun.sleep(5);
  agent.child.kill();
  const { stderr, code } = await agent.finish();
  const lines = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const about = (key: string, value: string) =>
    lines.filter((line) => String(line[key]).includes(value)).map(({ level, msg }) => `${level} ${msg}`);
  expect(code).toBe(0);
  expect(about("flag", "--redaction-filters")).toEqual([
    "warn flag of Tetragon that this program does not have",
  ]);
  expect(about("flag", "--enable-cgidmap")).toHaveLength(1);
  expect(about("flag", "--enable-process-cred")).toEqual([
    "info flag of Tetragon that this program does not have, with its default",
  ]);
  expect(about("from", "process-cach-size")).toEqual(["warn not a flag: ignored"]);
  expect(about("flag", "--log-level")).toEqual(["warn a flag has changed: it counts after a restart"]);
  // The environment overrules this file.
  expect(about("flag", "--drain-timeout")).toEqual([]);
  expect(stderr).not.toContain("SERVICE_HOST");
});

test.each([
  { flag: "drain-timeout", text: "soon", says: "not a duration" },
  { flag: "health-server-interval", text: "0s", says: "1ms or more" },
  { flag: "cri-endpoint", text: "tcp://x", says: "" },
  { flag: "log-level", text: "loud", says: "info" },
])("a file with $text for $flag is one line that names it", async ({ flag, text, says }) => {
  const config = writeConfig(flag, { [flag]: text, "enable-cri": "true" });
  const address = `unix://${join(directory, "never.sock")}`;
  const { stderr, code } = await start([
    ...["--info-file=", "--server-address", address, "--config-dir", config],
  ]).finish();
  const said = stderr.split("\n").filter((line) => line.startsWith("tetragon: "));
  expect(said).toEqual([expect.stringContaining(join(config, flag))]);
  expect(said[0]).toContain(says);
  expect(code).toBe(1);
});

test("a flag of neither agent is an error of the command line, with the flag that may be meant", async () => {
  const { stderr, code } = await start(["--process-cach-size=1"]).finish();
  expect(stderr).toContain("unknown flag --process-cach-size: did you mean --process-cache-size?");
  expect(code).toBe(1);
});

test("commands do not read the environment", async () => {
  const { stderr, code } = await start(["version"], {
    TETRAGON_OUTPUT: "xml",
    TETRAGON_LOG_LEVEL: "loud",
  }).finish();
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
});
