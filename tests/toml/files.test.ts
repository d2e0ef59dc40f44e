// SPDX-License-Identifier: Apache-2.0
// How the tool takes and gives files, and what it says of those that it cannot change.
import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Finished, runProcess } from "../harness/process.ts";
import { findSetup, findTool } from "../harness/programs.ts";
import { createRandom } from "../harness/random.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { findValue, readValues } from "./model.ts";
import { writeToml } from "./random-toml.ts";

const workspace = createWorkspace("files");
afterAll(() => workspace.close());

const off = `version = 2\n[plugins."io.containerd.nri.v1.nri"]\n  disable = true # for now\n`;
const on = off.replace("= true", "= false");
const nri = ["plugins", "io.containerd.nri.v1.nri"];

let count = 0;
/** A file in a folder of its own. */
function put(text: string | Uint8Array): string {
  const folder = workspace.path(`folder-${++count}`);
  mkdirSync(folder);
  const path = join(folder, "config.toml");
  writeFileSync(path, text);
  return path;
}

const patch = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  runProcess([findSetup(), "patch-containerd-conf", ...words], { env, killAfterMs: 30_000 });
const enable = (path: string, ...flags: readonly string[]): Promise<Finished> =>
  patch(["enable-nri", "--config-file", path, ...flags]);

describe("--in-place", () => {
  test("keeps mode and owner, and the old file beside the new one", async () => {
    const path = put(off);
    chmodSync(path, 0o640);
    chownSync(path, 12_345, 23_456);
    expect(await enable(path, "--in-place")).toMatchObject({ exitCode: 0, stdout: "" });
    const names = readdirSync(dirname(path)).toSorted();
    expect(names).toEqual(["config.toml", expect.stringMatching(/^config\.toml\.tetragon-\d{8}T\d{6}Z$/)]);
    const [changed, backup] = names.map((name) => join(dirname(path), name));
    expect(readFileSync(changed ?? "", "utf8")).toBe(on);
    expect(readFileSync(backup ?? "", "utf8")).toBe(off);
    for (const one of [changed, backup]) {
      expect(statSync(one ?? "")).toMatchObject({ mode: 0o100640, uid: 12_345, gid: 23_456 });
    }
  });

  test("changes the file that a link leads to, and the link stays", async () => {
    const path = put(off);
    const link = workspace.path("link.toml");
    symlinkSync(path, link);
    expect(await enable(link, "--in-place")).toMatchObject({ exitCode: 0 });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe(on);
  });

  test("touches nothing where nothing is to be done", async () => {
    const path = put(on);
    const before = statSync(path);
    const done = await enable(path, "--in-place");
    expect(done).toMatchObject({ exitCode: 0, stdout: "", stderr: expect.stringContaining("nothing to do") });
    expect(readdirSync(dirname(path))).toEqual(["config.toml"]);
    expect(statSync(path).ino).toBe(before.ino);
  });
});

describe("--output", () => {
  test("- is standard output", async () => {
    expect(await enable(put(off), "--output", "-")).toMatchObject({ exitCode: 0, stdout: on });
  });

  test("is a file, and the old one stays", async () => {
    const path = put(off);
    const to = workspace.path("new.toml");
    expect(await enable(path, `--output=${to}`)).toMatchObject({ exitCode: 0, stdout: "" });
    expect([readFileSync(to, "utf8"), readFileSync(path, "utf8")]).toEqual([on, off]);
  });

  test("has the mode and owner of the old file: there may be passwords in it", async () => {
    const path = put(off);
    chmodSync(path, 0o600);
    chownSync(path, 12_345, 23_456);
    const to = workspace.path("secret.toml");
    expect(await enable(path, "--output", to)).toMatchObject({ exitCode: 0 });
    expect(statSync(to)).toMatchObject({ mode: 0o100600, uid: 12_345, gid: 23_456 });
  });

  test("is a temporary file by default, whose name is said", async () => {
    mkdirSync(workspace.path("tmp"));
    const { exitCode, stderr } = await patch(["enable-nri", "--config-file", put(off)], {
      TMPDIR: workspace.path("tmp"),
    });
    expect(exitCode).toBe(0);
    const named = /path=(\S+)/.exec(stderr)?.[1] ?? "";
    expect(named).toStartWith(workspace.path("tmp"));
    expect(readFileSync(named, "utf8")).toBe(on);
  });

  test("is not written where nothing is to be done", async () => {
    const to = workspace.path("none.toml");
    expect(await enable(put(on), "--output", to)).toMatchObject({ exitCode: 0, stdout: "" });
    expect(lstatSync(to, { throwIfNoEntry: false })).toBeUndefined();
  });
});

test("what excludes each other is refused", async () => {
  const path = put(off);
  for (const flags of [
    ["--in-place", "--output", "x"],
    ["--in-place", "--diff"],
    ["--output", "x", "--check"],
  ]) {
    const refused = await enable(path, ...flags);
    expect(refused).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("cannot be combined"),
    });
  }
  expect(readFileSync(path, "utf8")).toBe(off);
});

describe("what cannot be changed is one error, and stays", () => {
  const broken: Readonly<
    Record<string, readonly [text: string | Uint8Array, error: RegExp, excerpt?: string]>
  > = {
    "no TOML": ["version = 2\n[plugins\n  a = 1\n", /line 2, column 9: /, "2 | [plugins\n"],
    "a key twice": ["version = 2\nversion = 2\n", /line 2, column \d+: /, "2 | version = 2\n"],
    "a value where a table is to be": [
      "version = 2\nplugins = 3\n",
      /line 2, column 11: "?plugins"? is not a table/,
      "2 | plugins = 3\n",
    ],
    "terminal codes": ['version = 2\nx = "\u001b[31m', /line 2, column \d+: /, "2 | x = "],
    "a version to come": ["version = 9\n", /configuration version 9 is not supported/],
    "a version that is none": ['version = "2"\n', /version is not a number/],
    "bytes that are no text": [new Uint8Array([0x61, 0xff, 0xfe]), /is not valid UTF-8/],
    "too many bytes": ["#".repeat(4 * 1024 * 1024 + 1), /is larger than 4 MiB/],
    "nesting without end": [`version = 2\na = ${"[".repeat(50_000)}`, /nested too deep|line 2/],
  };
  test.each(Object.entries(broken))("%s", async (_name, [text, error, excerpt]) => {
    const path = put(text);
    const before = readFileSync(path);
    const { exitCode, stdout, stderr } = await enable(path, "--in-place");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(error);
    expect(stderr).toContain(path);
    if (excerpt !== undefined) expect(stderr).toContain(excerpt);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(stderr.split("\n").length).toBeLessThanOrEqual(4);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(["config.toml"]);
  });

  test("no file, a folder, a pipe", async () => {
    const pipe = workspace.path("pipe");
    await runProcess([findTool("mkfifo"), pipe]);
    for (const path of [workspace.path("nothing"), workspace.dir, pipe]) {
      const { exitCode, stderr } = await enable(path, "--in-place");
      expect({ path, exitCode }).toEqual({ path, exitCode: 1 });
      expect(stderr).toContain(path);
    }
  });
});

describe("--require-plugin", () => {
  const require = (path: string, ...flags: readonly string[]) =>
    enable(path, "--require-plugin", "tetragon", ...flags, "--in-place");

  test("is for containerd 2.2 and later", async () => {
    const path = put(off);
    for (const [version, reason] of [
      ["1.7.24", "containerd 1.7.24 cannot require a plugin"],
      ["2.1.9", "containerd 2.1.9 cannot require a plugin"],
      ["", "set --containerd-version"],
    ] as const) {
      const flags = version === "" ? [] : ["--containerd-version", version];
      const refused = await require(path, ...flags);
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(reason) });
      expect(readFileSync(path, "utf8")).toBe(off);
    }
  });

  test("lets no container start without the plugin, but those that say so", async () => {
    const path = put(off.replace("version = 2", "version = 3"));
    expect(await require(path, "--containerd-version", "v2.2.0")).toMatchObject({ exitCode: 0 });
    const values = readValues(readFileSync(path, "utf8"));
    expect(findValue(values, nri)).toEqual({
      disable: false,
      default_validator: {
        enable: true,
        required_plugins: ["tetragon"],
        tolerate_missing_plugins_annotation: "tolerate-missing-plugins.rthooks.v1",
      },
    });
    const again = await enable(
      ...([path, "--require-plugin", "tetragon", "--containerd-version", "2.2.0", "--check"] as const), // const: a tuple
    );
    expect(again).toMatchObject({ exitCode: 0 });
  });

  test("keeps the operator's own list and annotation", async () => {
    const validator = `  [plugins."io.containerd.nri.v1.nri".default_validator]\n    enable = true\n`;
    const own = `    required_plugins = ["mine"]\n    tolerate_missing_plugins_annotation = "x"\n`;
    const path = put(
      `version = 3\n[plugins."io.containerd.nri.v1.nri"]\n  disable = false\n${validator}${own}`,
    );
    expect(await require(path, "--containerd-version", "2.3.1")).toMatchObject({ exitCode: 0 });
    expect(findValue(readValues(readFileSync(path, "utf8")), [...nri, "default_validator"])).toEqual({
      enable: true,
      required_plugins: ["mine", "tetragon"],
      tolerate_missing_plugins_annotation: "x",
    });
  });
});

describe("what the file says of itself is reported", () => {
  const cases: Readonly<Record<string, readonly [text: string, note: string]>> = {
    imports: [`version = 2\nimports = ["/etc/x/*.toml"]\n`, "this file imports /etc/x/*.toml"],
    "CRI that is off": [
      `version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n`,
      "kubelet cannot use this containerd",
    ],
    "NRI in disabled_plugins": [
      `version = 2\ndisabled_plugins = ["io.containerd.nri.v1.nri"]\n`,
      "removing io.containerd.nri.v1.nri from disabled_plugins",
    ],
    "version 1": ["", "containerd 2.x does not read NRI's table from a file of version 1"],
    "a byte order mark": ["\ufeffversion = 2\n", "containerd 2.x cannot read it"],
  };
  test.each(Object.entries(cases))("%s", async (_name, [text, note]) => {
    expect(await enable(put(text), "--diff")).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(note),
    });
  });
});

describe("documents of any form", () => {
  const runtimes = ["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes"];
  const wanted = [[...nri, "disable"], ["disabled_plugins"], [...runtimes, "runc", "runtime_type"]];
  const seed = Math.floor(Math.random() * 2 ** 31);

  /** Values that the tool may change are left out. */
  function describeRest(text: string): string {
    const values = readValues(text);
    delete Object(findValue(values, nri))["disable"];
    delete values["disabled_plugins"];
    return Bun.inspect(values, { depth: 100, sorted: true });
  }

  test(`NRI is on afterwards, and nothing else is changed (seed ${seed})`, async () => {
    let changed = 0;
    for (let at = 0; at < 60; at++) {
      const text = writeToml(createRandom(seed + at), wanted, new Map([["version", "2"]]));
      const path = put(text);
      const done = await enable(path, "--output", "-");
      const say = (more: object) => ({ seed: seed + at, text, ...more });
      if (done.exitCode === 1) {
        // Only where something else has the place of a table or a list.
        expect(say({ stderr: done.stderr })).toEqual(
          say({
            stderr: expect.stringMatching(
              /line \d+, column \d+: .* is (not a table|a table|not a list of strings)|cannot be changed safely/,
            ),
          }),
        );
        continue;
      }
      expect(say({ exitCode: done.exitCode })).toEqual(say({ exitCode: 0 }));
      const after = done.stdout || text;
      expect(say({ on: findValue(readValues(after), [...nri, "disable"]) })).toEqual(say({ on: false }));
      if (findValue(readValues(text), nri) !== undefined)
        expect(describeRest(after)).toBe(describeRest(text));
      if (done.stdout !== "") changed++;
    }
    expect(changed).toBeGreaterThan(20);
  }, 120_000);
});
