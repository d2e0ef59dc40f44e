// SPDX-License-Identifier: Apache-2.0
// The documents are held against the built programs: flags, commands with their output, examples of files.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, linkSync, readFileSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runProcess } from "../harness/process.ts";
import { findHook, findProgram } from "../harness/programs.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";

const root = join(import.meta.dir, "..", "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const guides = ["docs/agent.md", "docs/hook.md", "docs/nri-plugin.md", "docs/setup.md"];
const all = [readme, ...guides.map((name) => readFileSync(join(root, name), "utf8"))].join("\n");

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

const blocksOf = (language: string): readonly string[] =>
  [...all.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map((match) => match[1] ?? "");

describe("the reference has the flags of the built programs", () => {
  const folder = join(root, "docs/reference");
  const pages = ["tetragon", "tetragon-oci-hook", "tetragon-nri-hook", "tetragon-oci-hook-setup"];
  const commands = pages.flatMap((page) => {
    const [, ...sections] = `\n${readFileSync(join(folder, `${page}.md`), "utf8")}`.split(
      new RegExp(`\n##? (?=${page})`),
    );
    return sections.map((section) => ({
      command: section.slice(0, section.indexOf("\n")),
      flags: [...section.matchAll(/^\| `(--[\w.-]+)/gm)].map((match) => match[1]),
    }));
  });

  test("each command has a section", () => {
    const setup = "tetragon-oci-hook-setup";
    expect(commands.map(({ command }) => command)).toEqual([
      ...["tetragon", "tetragon status", "tetragon policies", "tetragon version", "tetragon completion"],
      ...["tetragon-oci-hook", "tetragon-nri-hook", setup],
      ...["install", "uninstall", "print-config"].map((name) => `${setup} ${name}`),
      ...["enable-nri", "disable-nri", "add-oci-hook", "remove-oci-hook"].map(
        (name) => `${setup} patch-containerd-conf ${name}`,
      ),
      ...["patch-crio-conf enable-annotations", "detect", "doctor"].map((name) => `${setup} ${name}`),
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

describe("a command does what the README shows", () => {
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
    const expression = /--fail-cel-expr '([^']+)'/.exec(readme)?.[1] ?? "";
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

test.each(["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", ...guides])(
  "%s links to what is there",
  (name) => {
    const text = readFileSync(join(root, name), "utf8");
    const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? "");
    const local = targets.filter((target) => !target.startsWith("https://"));
    expect(targets.length).toBeGreaterThan(0);
    expect(local.filter((target) => !existsSync(join(root, dirname(name), target)))).toEqual([]);
  },
);

test("the README's targets of make are the Makefile's", () => {
  const targets = [...readme.matchAll(/^make ([a-z]+)/gm)].map((match) => match[1]);
  expect(targets).toContain("demo");
  const makefile = readFileSync(join(root, "Makefile"), "utf8");
  expect(targets.filter((target) => !new RegExp(`^${target}:`, "m").test(makefile))).toEqual([]);
});
