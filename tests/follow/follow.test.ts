// SPDX-License-Identifier: Apache-2.0
// `follow FILE` of both programs that have it, as containers without a shell run it.
import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type RunningProcess, runProcess, startProcess } from "../harness/process.ts";
import { findAgent, findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("follow");
afterAll(() => workspace.close());

let count = 0;
const newFile = (): string => {
  const directory = workspace.path(`${++count}`);
  mkdirSync(directory);
  return `${directory}/events.log`;
};

const waitForOutput = (following: RunningProcess, text: string) =>
  waitFor(JSON.stringify(text), () => following.stdout().endsWith(text));

describe.each([
  ["tetragon", findAgent(), 1],
  ["tetragon-oci-hook-setup", findSetup(), 2],
])("%s", (_, program, usageCode) => {
  const start = (...words: readonly string[]): RunningProcess =>
    startProcess([program, "follow", ...words], {}, workspace);

  test("prints each line once: the file appears, grows, is renamed, emptied and replaced", async () => {
    const path = newFile();
    const following = start(path);
    const written: string[] = [];
    const write = async (line: string, file = path): Promise<void> => {
      appendFileSync(file, `${line}\n`);
      written.push(line);
      await waitForOutput(following, `${line}\n`);
    };
    await write("first");
    await write("second");
    renameSync(path, `${path}.1`);
    await write("to the renamed file", `${path}.1`);
    await write("to the new file");
    truncateSync(path);
    await write("emptied");
    writeFileSync(`${path}.new`, "");
    renameSync(`${path}.new`, path);
    await write("after it was replaced");
    following.signal("SIGTERM");
    const ended = await following.exited;
    expect(ended).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: written.map((line) => `${line}\n`).join(""),
    });
  });

  test("begins with the last ten lines, or with as many as --lines says", async () => {
    const path = newFile();
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n + 1}\n`);
    writeFileSync(path, lines.join(""));
    const [ten, two, none] = [start(path), start("--lines", "2", path), start("--lines", "0", path)];
    await waitForOutput(ten, "line 30\n");
    await waitForOutput(two, "line 30\n");
    // It prints nothing first: what is appended shows that it has looked.
    await waitFor("a line of the third", () => {
      appendFileSync(path, "more\n");
      return none.stdout() !== "";
    });
    expect(ten.stdout()).toStartWith("line 21\n");
    expect(two.stdout()).toStartWith("line 29\nline 30\n");
    expect(none.stdout()).toStartWith("more\n");
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s ends it with 0, after what was appended before",
    async (signal) => {
      const path = newFile();
      writeFileSync(path, "there\n");
      const following = start(path);
      await waitForOutput(following, "there\n");
      appendFileSync(path, "x\n".repeat(100_000));
      appendFileSync(path, "last\n");
      following.signal(signal);
      const ended = await following.exited;
      expect(ended).toMatchObject({ exitCode: 0, signal: null, stderr: "" });
      expect(ended.stdout.length).toBe("there\n".length + 200_000 + "last\n".length);
    },
  );

  test("ends when the reader of its output has ended, without another line and without a word", async () => {
    const path = newFile();
    writeFileSync(path, "there\n");
    const script = 'set -o pipefail; "$0" follow "$1" | head -1';
    const ended = await runProcess(["bash", "-c", script, program, path], { killAfterMs: 30_000 });
    expect(ended).toMatchObject({ exitCode: 141, stdout: "there\n", stderr: "" });
  });

  test("says why the file is not followed, and follows it when that is over", async () => {
    const path = `${newFile()}.d/events.log`;
    const following = start(path);
    await waitFor("the reason", () => following.stderr().includes("its directory does not exist"));
    expect(following.stderr().trimEnd().split("\n")).toHaveLength(1);
    mkdirSync(path.slice(0, path.lastIndexOf("/")));
    writeFileSync(path, "line\n");
    await waitForOutput(following, "line\n");
  });

  test("a reader that does not read, and a line that does not end, take no memory", async () => {
    const path = newFile();
    writeFileSync(path, "");
    const script = '"$0" follow "$1" | { read -r line; echo "$line" >"$1.seen"; exec sleep 60; }';
    const pipe = startProcess(["setsid", "bash", "-c", script, program, path], {}, workspace);
    workspace.onClose(() => pipe.hasExited() || process.kill(-pipe.pid, "SIGKILL"));
    appendFileSync(path, "first\n");
    await waitFor("the first line", async () => await Bun.file(`${path}.seen`).exists());
    for (let n = 0; n < 20; n++) appendFileSync(path, "y".repeat(20_000_000));
    for (let n = 0; n < 20; n++) appendFileSync(path, `${"z".repeat(999_999)}\n`.repeat(20));
    const pid = await findChild(pipe.pid);
    await waitFor("the end of its reading", async () => {
      const before = readNumber(pid, "io", /rchar: (\d+)/);
      await Bun.sleep(200);
      return before > 400_000_000 && readNumber(pid, "io", /rchar: (\d+)/) === before;
    });
    expect(readNumber(pid, "io", /rchar: (\d+)/)).toBeLessThan(500_000_000);
    expect(readNumber(pid, "status", /VmHWM:\s+(\d+) kB/)).toBeLessThan(250_000);
    // What it has not printed does not keep it from ending.
    process.kill(pid, "SIGTERM");
    await waitFor("its end", () => !existsSync(`/proc/${pid}`));
  });

  test.each<[string, readonly string[], string]>([
    ["no file", [], "name a file"],
    ["two files", ["a", "b"], 'unexpected argument "b"'],
    ["no number", ["--lines", "many", "a"], 'not a number from 0 to 999999: "many"'],
  ])("refuses %s", async (__, words, message) => {
    const ended = await runProcess([program, "follow", ...words]);
    expect(ended).toMatchObject({ exitCode: usageCode, stdout: "" });
    expect(ended.stderr).toContain(message);
  });
});

async function findChild(parent: number): Promise<number> {
  const { stdout } = await runProcess(["pgrep", "-P", `${parent}`, "-f", " follow "]);
  return Number(stdout.trim());
}

const readNumber = (pid: number, file: "io" | "status", pattern: RegExp): number =>
  Number(pattern.exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1]);
