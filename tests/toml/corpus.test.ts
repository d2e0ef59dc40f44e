// SPDX-License-Identifier: Apache-2.0
// Files as distributions and clouds write them, through the tool. Beside each stands the whole change that it makes;
// where none stands for a command, there is nothing to change.
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch } from "diff";
import { containerdReleases } from "../harness/containerd-release.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findSetup } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { findValue, readValues } from "./model.ts";

const corpus = join(import.meta.dir, "corpus");
const workspace = createWorkspace("toml");
afterAll(() => workspace.close());

writeFileSync(workspace.path("spec.json"), JSON.stringify({ ociVersion: "1.1.0", process: {} }));
mkdirSync(workspace.path("etc/containerd"), { recursive: true });

const commands: Readonly<Record<string, readonly string[]>> = {
  "enable-nri": ["patch-containerd-conf", "enable-nri"],
  "disable-nri": ["patch-containerd-conf", "disable-nri"],
  "add-oci-hook": [
    ...["patch-containerd-conf", "add-oci-hook", "--base-spec", "/etc/containerd/rthooks.json"],
    ...["--from-spec", workspace.path("spec.json"), "--host-root", workspace.dir],
  ],
  "enable-annotations": [
    ...["patch-crio-conf", "enable-annotations", "--annotations", "a.b,io.kubernetes.cri-o.Devices"],
  ],
};

const run = (command: string, cwd: string, ...flags: readonly string[]): Promise<Finished> =>
  runProcess([findSetup(), ...(commands[command] ?? []), ...flags], { cwd, killAfterMs: 30_000 });

const isOfCrio = (file: string): boolean => file.startsWith("crio");
const files = readdirSync(corpus).filter((file) => file.endsWith(".toml"));
const cases = files.flatMap((file) =>
  Object.keys(commands)
    .filter((command) => isOfCrio(file) === (command === "enable-annotations"))
    // This one has a base spec of its own, which is refused below.
    .filter((command) => !(file === "eks-al2023.toml" && command === "add-oci-hook"))
    .map((command) => ({ file, command })),
);

test("the corpus is there", () => {
  expect(files.length).toBeGreaterThanOrEqual(10);
  expect(cases.length).toBeGreaterThanOrEqual(25);
});

test.each(cases)(
  "$command of $file",
  async ({ file, command }) => {
    const folder = workspace.path(`${command}-${file}`);
    mkdirSync(folder);
    cpSync(join(corpus, file), join(folder, file));
    const text = readFileSync(join(folder, file), "utf8");
    const written = join(corpus, file.replace(".toml", `.${command}.diff`));
    const diff = existsSync(written) ? readFileSync(written, "utf8") : "";
    const shown = await run(command, folder, "--config-file", file, "--diff");
    expect(shown).toMatchObject({ exitCode: 0, stdout: diff });
    const isNeeded = diff !== "" || command === "add-oci-hook";
    const checked = await run(command, folder, "--config-file", file, "--check");
    expect(checked).toMatchObject({ exitCode: isNeeded ? 3 : 0, stdout: "" });
    expect(readFileSync(join(folder, file), "utf8")).toBe(text);

    const changed = await run(command, folder, "--config-file", file, "--in-place");
    expect(changed).toMatchObject({ exitCode: 0, stdout: "" });
    const after = readFileSync(join(folder, file), "utf8");
    expect(after).toBe(
      diff === "" ? text : String(applyPatch(text, diff, { autoConvertLineEndings: false })),
    );
    const again = await run(command, folder, "--config-file", file, "--check");
    expect(again).toMatchObject({ exitCode: 0, stdout: "" });
  },
  60_000,
);

test("a base spec of somebody else is left alone, and named", async () => {
  const { exitCode, stderr, stdout } = await run(
    ...(["add-oci-hook", corpus, "--config-file", "eks-al2023.toml", "--diff"] as const), // const: a tuple
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toContain("use --base-spec /etc/containerd/base-runtime-spec.json to add the hook to it");
});

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const containerd = join(release.binDir, "containerd");

  const dump = async (path: string) => {
    const { exitCode, stdout, stderr } = await runProcess([containerd, "--config", path, "config", "dump"]);
    expect({ path, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
      path,
      exitCode: 0,
      stderr: "",
    });
    return readValues(stdout);
  };
  const nri = ["plugins", "io.containerd.nri.v1.nri", "disable"];

  test("its own default is changed where it should be, and only there", async () => {
    const path = workspace.path(`default-${release.version}.toml`);
    const { stdout } = await runProcess([containerd, "config", "default"]);
    writeFileSync(path, stdout);
    const wasOn = findValue(readValues(stdout), nri) === false;
    const { stdout: diff } = await run(
      wasOn ? "disable-nri" : "enable-nri",
      "/",
      "--config-file",
      path,
      "--diff",
    );
    const changes = diff.split("\n").filter((line) => /^[-+](?![-+])/.test(line));
    expect(changes).toEqual([`-    disable = ${!wasOn}`, `+    disable = ${wasOn}`]);
    const added = await run("add-oci-hook", "/", "--config-file", path, "--diff");
    expect(added.stdout.match(/^[-+] .*/gm)).toEqual([
      expect.stringMatching(/^- +base_runtime_spec = ['"]{2}$/),
      expect.stringMatching(/^\+ +base_runtime_spec = ['"]\/etc\/containerd\/rthooks.json['"]$/),
    ]);
  });

  // Version 3 is unknown to 1.7, and 2.x reads nothing of what matters here from version 1.
  const isReadable = (file: string): boolean =>
    !isOfCrio(file) &&
    !/^(docker-ce|version-1)/.test(file) &&
    (file !== "k3s.toml" || release.configVersion === 3);

  test.each(files.filter(isReadable))(
    "reads %s as it was meant",
    async (file) => {
      const path = workspace.path(`${release.version}-${file}`);
      cpSync(join(corpus, file), path);
      const before = await dump(path);
      await run("enable-nri", "/", "--config-file", path, "--in-place");
      const on = await dump(path);
      expect(findValue(on, nri)).toBe(false);
      await run("disable-nri", "/", "--config-file", path, "--in-place");
      const off = await dump(path);
      expect(findValue(off, nri)).toBe(true);
      for (const values of [before, on, off]) {
        delete Object(values["plugins"])["io.containerd.nri.v1.nri"];
        delete values["disabled_plugins"];
      }
      expect(on).toEqual(before);
      expect(off).toEqual(before);
    },
    60_000,
  );
});
