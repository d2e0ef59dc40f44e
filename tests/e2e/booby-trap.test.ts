// SPDX-License-Identifier: Apache-2.0
// A hook's working directory can lie in a container's file system: nothing there may run inside the programs.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isListening } from "../harness/agent.ts";
import { containerdAnnotations, createSpec, renderState, writeSpec } from "../harness/hook.ts";
import { type ProcessOptions, runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findHook } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("trap");
const trap = workspace.path("trap");
const sprung = workspace.path("sprung");
const control = workspace.path("control");
/** Packages that the programs load on demand: a copy in the working directory must not be taken instead. */
const packages = [
  ...["@grpc/grpc-js", "@bufbuild/cel", "@bufbuild/protobuf", "re2js", "valibot", "xstate", "yaml"],
  ...["@rthooks/flags", "@rthooks/proto", "@rthooks/result"],
];

function write(path: string, text: string): void {
  mkdirSync(dirname(join(trap, path)), { recursive: true });
  writeFileSync(join(trap, path), text);
}

/** Each file that Bun or a library could look for leaves a mark when it is run. */
function layTrap(): void {
  const evil = (name: string) =>
    `require("node:fs").appendFileSync(${JSON.stringify(sprung)}, ${JSON.stringify(`${name}\n`)});`;
  write("evil.ts", evil("bunfig preload"));
  write(
    "bunfig.toml",
    'preload = ["./evil.ts"]\n[run]\npreload = ["./evil.ts"]\n[test]\npreload = ["./evil.ts"]\n',
  );
  write(
    ".env",
    // Were it read, grpc-js would trace to standard error, and the control would print its word.
    "RTHOOKS_TRAP=env-was-read\nGRPC_TRACE=all\nGRPC_VERBOSITY=DEBUG\nBUN_OPTIONS=--preload=./evil.ts\nNODE_OPTIONS=--require=./evil.ts\n",
  );
  for (const name of [".env.local", ".env.production", ".env.development"])
    write(name, "RTHOOKS_TRAP=env-was-read\n");
  write(
    "tsconfig.json",
    JSON.stringify({
      compilerOptions: {
        baseUrl: ".",
        jsx: "react-jsx",
        jsxImportSource: "./evil",
        paths: { "*": ["./mapped.ts"], "node:*": ["./mapped.ts"] },
      },
    }),
  );
  write("mapped.ts", evil("tsconfig paths"));
  write(
    "package.json",
    JSON.stringify({
      name: "evil",
      type: "commonjs",
      main: "evil.ts",
      imports: { "#*": "./mapped.ts" },
      exports: "./evil.ts",
    }),
  );
  for (const name of packages) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "99.0.0", main: "index.js" }));
    write(`node_modules/${name}/index.js`, evil(`node_modules/${name}`));
  }
  write("tetragon-oci-hook.json", JSON.stringify({ logFname: sprung, disableGrpc: true }));
}

beforeAll(async () => {
  layTrap();
  // Not process.env.NAME, which the compiler may replace.
  writeFileSync(workspace.path("control.ts"), "console.log('control ran:', process.env['RTHOOKS_TRAP']);\n");
  // The same kind of program, built without the options that close the door.
  const built = await runProcess(
    [
      ...[process.execPath, "build", "--compile", workspace.path("control.ts"), `--outfile=${control}`],
      ...["--compile-autoload-dotenv", "--compile-autoload-bunfig"],
    ],
    { cwd: workspace.dir, env: { PATH: "/usr/bin:/bin", HOME: workspace.dir } },
  );
  if (built.exitCode !== 0) throw new Error(built.stderr);
}, 60_000);
afterEach(() => rmSync(sprung, { force: true }));
afterAll(() => workspace.close());

const marks = (): boolean => existsSync(sprung);

test("the trap works: a program built without the safe options runs the code and reads the environment", async () => {
  const result = await runProcess([control], { cwd: trap });
  expect(result.stdout).toContain("control ran: env-was-read");
  expect(marks()).toBe(true);
});

interface Run {
  readonly name: string;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly stdin?: string;
}

/** Runs the program in the trap and expects that it is as if the trap were not there. */
async function expectUntouched(program: string, { args, exitCode, stdin }: Run): Promise<void> {
  const before = readdirSync(trap);
  const options: ProcessOptions = { killAfterMs: 20_000, ...(stdin === undefined ? {} : { stdin }) };
  const [trapped, elsewhere] = await Promise.all([
    runProcess([program, ...args], { ...options, cwd: trap }),
    runProcess([program, ...args], { ...options, cwd: "/" }),
  ]);
  expect(marks()).toBe(false);
  expect(trapped.stderr).toBe(elsewhere.stderr);
  expect(trapped.exitCode).toBe(exitCode);
  expect(elsewhere.exitCode).toBe(exitCode);
  expect(readdirSync(trap)).toEqual(before);
}

describe("tetragon-oci-hook in a trap", () => {
  const namespace = { uid: "u", namespace: "shop", name: "web-0", container: "app" };
  const state = renderState(
    writeSpec(workspace.path("bundle"), createSpec(containerdAnnotations(namespace))),
  );
  const base = ["--log-fname", workspace.path("hook.log"), "--grpc-timeout", "200ms"];
  const nobody = ["--grpc-address", `unix://${workspace.path("nobody.sock")}`];
  const runs: readonly Run[] = [
    { name: "--help", args: ["--help"], exitCode: 0 },
    { name: "--just-print-config", args: ["createRuntime", "--just-print-config"], exitCode: 0 },
    { name: "a container, no agent", args: ["createRuntime", ...base, ...nobody], exitCode: 1, stdin: state },
    {
      name: "a pattern (loads the RE2 library)",
      args: ["createRuntime", ...base, ...nobody, "--fail-allow-namespaces-regex", "^shop$"],
      exitCode: 0,
      stdin: state,
    },
    {
      name: "CEL (loads the CEL library)",
      args: ["createRuntime", ...base, ...nobody, "--fail-cel-expr", "true"],
      exitCode: 1,
      stdin: state,
    },
    {
      name: "a TCP address (loads grpc-js)",
      args: ["createRuntime", ...base, "--grpc-address", "127.0.0.1:1"],
      exitCode: 1,
      stdin: state,
    },
  ];
  test.each(runs.map((run) => ({ ...run })))(
    "$name: nothing of it runs",
    (run) => expectUntouched(findHook(), run),
    60_000,
  );
});

describe("tetragon in a trap", () => {
  const runs: readonly Run[] = [
    { name: "--help", args: ["--help"], exitCode: 0 },
    { name: "version", args: ["version"], exitCode: 0 },
    {
      name: "status without an agent",
      args: ["status", "--server-address", `unix://${workspace.path("nobody.sock")}`],
      exitCode: 1,
    },
  ];
  test.each(runs.map((run) => ({ ...run })))(
    "$name: nothing of it runs",
    (run) => expectUntouched(findAgent(), run),
    60_000,
  );

  test("serving: nothing of it runs", async () => {
    const socketPath = workspace.path("agent.sock");
    const podsFile = workspace.path("pods.yaml");
    // YAML, because the library for it is loaded on demand.
    writeFileSync(podsFile, "kind: Pod\nmetadata: {name: web-0, namespace: shop, uid: u-1}\n");
    const address = `unix://${socketPath}`;
    const agent = startProcess(
      [findAgent(), "--info-file=", "--server-address", address, "--pods-file", podsFile],
      { cwd: trap },
      workspace,
    );
    await waitFor("the agent listens", () => isListening(socketPath));
    expect(
      await runProcess([findAgent(), "status", "--server-address", address], { cwd: trap }),
    ).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    agent.signal("SIGTERM");
    const { exitCode, stderr, stdout } = await agent.exited;
    expect(exitCode).toBe(0);
    expect(stderr + stdout).not.toContain("| channel |");
    expect(marks()).toBe(false);
  }, 60_000);
});
