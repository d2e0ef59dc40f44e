// SPDX-License-Identifier: Apache-2.0
// The documents are held against the built programs: flags, commands with their output, examples of files.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { linkSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callRuntimeHook } from "../harness/agent-client.ts";
import { runProcess } from "../harness/process.ts";
import { findHook, findProgram } from "../harness/programs.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";
import { findCode } from "./text/documents.ts";

const root = join(import.meta.dir, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const readme = read("README.md");
const guides = [...new Bun.Glob("docs/*.md").scanSync(root)].toSorted();
const all = [readme, ...guides.map(read)].join("\n");

let workspace: Workspace;
beforeAll(() => {
  workspace = createWorkspace("readme");
});
afterAll(() => workspace.close());

/** The built programs, by the words that a person types. */
function toArgv(command: string): readonly string[] {
  const [name = "", ...rest] = command.replace(/^dist\//, "").split(" ");
  return [findProgram(name), ...rest];
}

/** Blocks of code, without the indentation of a list that one is in. */
const blocksOf = (language: string): readonly string[] =>
  [...all.matchAll(new RegExp(`^( *)\`\`\`${language}\n(.*?)^ *\`\`\``, "gms"))].map(
    ([, indent = "", block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );

describe("the reference has the flags of the built programs", () => {
  const pages = [
    "tetragon",
    "tetragon-oci-hook",
    "tetragon-nri-hook",
    "tetragon-oci-hook-setup",
    "tetragon-operator",
  ];
  const commands = pages.flatMap((page) => {
    const [, ...sections] = `\n${read(`docs/reference/${page}.md`)}`.split(new RegExp(`\n##? (?=${page})`));
    return sections.map((section) => ({
      command: section.slice(0, section.indexOf("\n")),
      flags: [...section.matchAll(/^\| `(--[\w.-]+)/gm)].map((match) => match[1]),
    }));
  });

  test("each command has a section", () => {
    const setup = "tetragon-oci-hook-setup";
    expect(commands.map(({ command }) => command)).toEqual([
      ...["tetragon", "tetragon status", "tetragon policies", "tetragon explain", "tetragon watch"],
      ...[
        "tetragon events",
        "tetragon follow",
        "tetragon inspect",
        "tetragon version",
        "tetragon completion",
      ],
      ...["tetragon-oci-hook", "tetragon-nri-hook", setup],
      ...["install", "uninstall", "status", "print-config"].map((name) => `${setup} ${name}`),
      ...["enable-nri", "disable-nri", "add-oci-hook", "remove-oci-hook"].map(
        (name) => `${setup} patch-containerd-conf ${name}`,
      ),
      ...["patch-crio-conf enable-annotations", "detect", "doctor", "follow"].map(
        (name) => `${setup} ${name}`,
      ),
      "tetragon-operator",
    ]);
  });

  test.each(commands)("$command", async ({ command, flags }) => {
    const help = await runProcess([...toArgv(command), "--help"]);
    const section = help.stdout.split("\nFlags:\n")[1]?.split("\n\n")[0] ?? "";
    expect(flags).toEqual([...section.matchAll(/^ {2,6}(?:-\w, )?(--\S+)/gm)].map((match) => match[1]));
    expect(flags).toContain("--help");
    expect(help.exitCode).toBe(0);
  });
});

describe("a command does what a document shows", () => {
  const shown = blocksOf("console").flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => ({
        command: text.slice(0, text.indexOf("\n")),
        output: text.slice(text.indexOf("\n") + 1),
      })),
  );

  test("there are some", () => expect(shown.length).toBeGreaterThanOrEqual(3));

  test.each([...shown])("$command", async ({ command, output }) => {
    expect(command).toMatch(/^dist\//);
    const result = await runProcess(toArgv(command));
    expect(result.stdout).toBe(output);
    expect(result.exitCode).toBe(0);
  });
});

describe("a table of a document has the columns that the command prints", () => {
  let agent: Agent;
  beforeAll(async () => {
    agent = await startAgent(workspace);
    const calls = { cgroupsPath: "/none", containerName: "app", podUID: "u" };
    await callRuntimeHook(agent.address, calls).catch(() => {});
  });
  const toTitles = (text = ""): readonly string[] => text.trim().split(/ {2,}/);
  const headersOf = (first: string): readonly (readonly string[])[] =>
    blocksOf("text")
      .flatMap((block) => block.split("\n"))
      .filter((line) => line.startsWith(`${first} `))
      .map(toTitles);

  test("tetragon status", async () => {
    const { stdout } = await agent.status();
    expect(headersOf("NAMESPACE")).toEqual([toTitles(stdout.split("\n")[0])]);
  });

  test("tetragon watch", async () => {
    const pipe = `"$0" watch --server-address "$1" | head -1`;
    const { stdout } = await runProcess(["bash", "-c", pipe, findProgram("tetragon"), agent.address]);
    expect(headersOf("TIME")).toEqual([toTitles(stdout)]);
  });
});

describe("a command of a document has flags that its program has", () => {
  /** Without comments and continued lines. */
  const lines = blocksOf("sh").flatMap((block) =>
    block
      .replaceAll(/\\\n/g, " ")
      .split("\n")
      .map((line) => line.replace(/(^|\s)#.*$/, "").trim()),
  );
  const inText = findCode(all).map((code) => code.replaceAll(/\s+/g, " "));
  const commands = [...new Set([...lines, ...inText].filter((line) => /^tetragon(-\S+)? /.test(line)))];
  /** Words with which a program has help of its own. */
  const subcommand =
    /^(?:(?:tetragon (?:status|policies|explain|watch|events|follow|inspect|version)|tetragon-oci-hook-setup [a-z]\S*(?: [a-z]\S*)?)\b|\S+)/;

  test("there are some", () => expect(commands.length).toBeGreaterThan(8));

  test.each(commands)("%s", async (line) => {
    const [own = "", ofHook = ""] = line.split(" hook-args ");
    const [command = ""] = subcommand.exec(own) ?? [];
    const used = [
      { command, flags: findFlags(own) },
      { command: "tetragon-oci-hook", flags: findFlags(ofHook) },
    ];
    for (const { command, flags } of ofHook === "" ? used.slice(0, 1) : used) {
      const help = await runProcess([...toArgv(command), "--help"]);
      expect(help.exitCode).toBe(0);
      expect(flags.filter((flag) => !findFlags(help.stdout).includes(flag))).toEqual([]);
    }
  });
});

const findFlags = (text: string): readonly string[] => text.match(/(?<=\s|^)--[a-z][\w.-]*/gm) ?? [];

describe("examples of files", () => {
  const examples = blocksOf("json");
  const find = (word: string): string => {
    const found = examples.filter((example) => example.includes(word));
    expect(found).toHaveLength(1);
    return found[0] ?? "";
  };

  test("the configuration file is taken by a hook beside it", async () => {
    const path = workspace.path("tetragon-oci-hook");
    try {
      linkSync(findHook(), path);
    } catch {
      // Another file system.
      await copyFile(findHook(), path);
    }
    writeFileSync(workspace.path("tetragon-oci-hook.json"), find("failAllowNamespaces"));
    const result = await runProcess([path, "--just-print-config"]);
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toMatchObject({
      grpc_timeout: "5s",
      fail_allow_namespaces: ["kube-system", "monitoring"],
      log_level: "warn",
    });
  });

  test("the runtime's hook file sets an environment, and waits longer than the hook", async () => {
    const { hook, stages } = JSON.parse(find('"stages"'));
    expect(hook.env).toEqual([expect.stringMatching(/^PATH=/), "BUN_JSC_useWarmUpMarkedBlocks=0"]);
    expect(hook.args[0]).toBe(hook.path);
    expect(stages).toEqual(["createRuntime"]);
    const config = JSON.parse((await runProcess([findHook(), "--just-print-config"])).stdout);
    expect(hook.timeout).toBeGreaterThan(Number.parseInt(config.grpc_timeout, 10));
  });

  test("the expression is one that the hook takes", async () => {
    const expression = /createRuntime [^`]*--fail-cel-expr '([^']+)'/.exec(read("docs/hook.md"))?.[1] ?? "";
    expect(expression).not.toBe("");
    const result = await runProcess([findHook(), "--just-print-config", "--fail-cel-expr", expression]);
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toMatchObject({ fail_cel_expr: expression });
  });

  test("the line of the log has the fields in their order", () => {
    const line = blocksOf("text").find((block) => block.includes("start-time")) ?? "";
    expect(line.trimEnd().split("\n")).toHaveLength(1);
    expect(Object.keys(JSON.parse(line))).toEqual([
      ...["time", "level", "msg", "hook", "start-time", "req-cgroups", "req-rootdir", "req-containerName"],
      ...["req-containerID", "req-containerImage", "req-podName", "req-podUID", "req-podNamespace"],
    ]);
  });
});

test("the README's targets of make are the Makefile's", () => {
  const targets = [...readme.matchAll(/^make ([a-z]+)/gm)].map((match) => match[1]);
  expect(targets).toContain("demo");
  const makefile = readFileSync(join(root, "Makefile"), "utf8");
  expect(targets.filter((target) => !new RegExp(`^${target}:`, "m").test(makefile))).toEqual([]);
});

test("the README's glibc is the newest whose symbols the programs need", () => {
  const [, stated] = /glibc (2\.\d+) or later/.exec(readme) ?? [];
  for (const name of ["tetragon", "tetragon-oci-hook", "tetragon-nri-hook", "tetragon-oci-hook-setup"]) {
    const program = readFileSync(findProgram(name), "latin1");
    const minors = [...program.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    expect(`2.${Math.max(...minors)}`).toBe(stated ?? "none");
  }
});
