// SPDX-License-Identifier: Apache-2.0
// The unit files of deploy/systemd, judged by systemd itself; the pages that install them are run with a played systemctl.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { runProcess } from "../harness/process.ts";
import { findAgent, findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { readText, root } from "./text/documents.ts";

const workspace = createWorkspace("units");
afterAll(() => workspace.close());

const units = readdirSync(`${root}/deploy/systemd`);

test("there are two", () => expect(units).toHaveLength(2));

test.each(units)("%s is valid, and its programs exist", async (unit) => {
  const path = workspace.path(unit);
  // The programs are not installed on this machine.
  writeFileSync(path, readText(`deploy/systemd/${unit}`).replaceAll("/usr/local/bin", dirname(findAgent())));
  const { exitCode, stderr } = await runProcess([findTool("systemd-analyze"), "--man=no", "verify", path]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
});

test.each(units)("the command of %s has flags that its program has", async (unit) => {
  const text = readText(`deploy/systemd/${unit}`).replaceAll("\\\n", " ");
  const [, program = "", rest = ""] = /^ExecStart=\/usr\/local\/bin\/(\S+) (.*)$/m.exec(text) ?? [];
  const [own = "", ofHook = ""] = rest.split("hook-args");
  const verb = /^[a-z]/.test(own) ? [own.split(" ")[0] ?? ""] : [];
  const helpOf = async (...argv: readonly string[]) =>
    (await runProcess([`${dirname(findAgent())}/${argv[0]}`, ...argv.slice(1), "--help"])).stdout;
  const missing = (words: string, help: string) =>
    [...words.matchAll(/--[\w.-]+/g)].map(([flag]) => flag).filter((flag) => !help.includes(flag));
  expect(missing(own, await helpOf(program, ...verb))).toEqual([]);
  expect(missing(ofHook, await helpOf("tetragon-oci-hook"))).toEqual([]);
});
