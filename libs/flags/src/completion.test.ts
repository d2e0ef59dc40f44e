// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderCompletion } from "./completion.ts";
import { flag } from "./flag.ts";

const program = {
  name: "my-tool",
  commands: [
    { name: "status", summary: "it's: [shown]" },
    { name: "start", summary: "begin", names: "job" },
  ],
  flags: {
    "log-level": flag.string({ usage: "how: [much]", choices: ["debug", "info", "warn"] }),
    "log-file": flag.string({ usage: "where it's written", placeholder: "FILE" }),
    output: flag.string({ usage: "form", choices: ["text", "json"], short: "o" }),
    group: flag.list({ usage: "names", short: "g", names: "group" }),
    quiet: flag.boolean({ usage: "a switch", short: "q" }),
    timeout: flag.duration({ usage: "a time", default: "1s" }),
  },
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "completion-"));
  mkdirSync(join(directory, "logs of today"));
  writeFileSync(join(directory, "last.log"), "");
  // The program itself: what it prints is what it was asked, so that the test sees both.
  writeFileSync(
    join(directory, "my-tool"),
    `#!/bin/sh\n[ "$1" = __complete ] || exit 1\nshift\nprintf '%s\\n' "asked $*" '$(touch expanded)' '*'\n`,
    { mode: 0o755 },
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

function run(argv: readonly string[]): { readonly exitCode: number; readonly text: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { cwd: directory, stdin: "ignore" });
  return { exitCode, text: `${stdout}${stderr}` };
}

describe("bash", () => {
  const script = renderCompletion("bash", program);

  test("takes the script", () => {
    expect(run(["bash", "-n", "-c", script])).toEqual({ exitCode: 0, text: "" });
  });

  // As bash itself splits the line: an equals sign is a word of its own.
  test.each([
    { words: [""], replies: ["status", "start"] },
    { words: ["st"], replies: ["status", "start"] },
    { words: ["sta", "--lo"], replies: ["--log-level", "--log-file"] },
    { words: ["--log-level", ""], replies: ["debug", "info", "warn"] },
    { words: ["--log-level", "w"], replies: ["warn"] },
    { words: ["--log-level", "="], replies: ["debug", "info", "warn"] },
    { words: ["--log-level", "=", "d"], replies: ["debug"] },
    { words: ["-o", "j"], replies: ["json"] },
    { words: ["--log-file", "l"], replies: ["last.log", "logs of today"] },
    { words: ["--log-file", "=", "last"], replies: ["last.log"] },
    { words: ["--timeout", ""], replies: [] },
    { words: ["--quiet", "sto"], replies: [] },
    { words: ["nothing-like-this"], replies: [] },
    { words: ["--group", "a"], replies: ["asked -- group a", "$(touch expanded)", "*"] },
    { words: ["-g", ""], replies: ["asked -- group ", "$(touch expanded)", "*"] },
    { words: ["start", "b"], replies: ["asked -- job b", "$(touch expanded)", "*"] },
    {
      words: ["start", "--server-address", "unix:///a.sock", "b"],
      replies: ["asked --server-address unix:///a.sock -- job b", "$(touch expanded)", "*"],
    },
    { words: ["start", "--gr"], replies: ["--group"] },
    { words: ["status", "b"], replies: [] },
  ])("$words", ({ words, replies }) => {
    const line = ["./my-tool", ...words].map((word) => `'${word}'`).join(" ");
    const ask = `${script}
COMP_WORDS=(${line}); COMP_LINE="\${COMP_WORDS[*]}"; COMP_CWORD=${words.length}; _my_tool
[ \${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
    const lines = run(["bash", "-c", ask])
      .text.split("\n")
      .filter((reply) => reply !== "");
    expect(lines.toSorted()).toEqual(replies.toSorted());
    expect(existsSync(join(directory, "expanded"))).toBe(false);
  });

  test("is registered for the program", () => {
    expect(run(["bash", "-c", `${script}\ncomplete -p my-tool`]).text).toBe("complete -F _my_tool my-tool\n");
  });
});

describe.each(["zsh", "fish"] as const)("%s", (shell) => {
  const script = renderCompletion(shell, program);

  test("has every flag with what it takes", () => {
    for (const name of Object.keys(program.flags)) expect(script).toContain(name);
    expect(script).toContain("debug info warn");
    for (const { name } of program.commands) expect(script).toContain(name);
  });

  const isInstalled = Bun.which(shell) !== null;
  test.skipIf(!isInstalled)(`takes the script${isInstalled ? "" : ` (${shell} is not installed)`}`, () => {
    const path = join(directory, `script.${shell}`);
    writeFileSync(path, script);
    expect(run([shell, "-n", path])).toEqual({ exitCode: 0, text: "" });
  });
});
