// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flag } from "@rthooks/flags";
import { configFlags } from "../core/config-flags.ts";
import { loadFlags } from "./load-flags.ts";

const root = mkdtempSync(join(tmpdir(), "rthooks-config-"));
afterAll(() => rmSync(root, { recursive: true }));

let directory = "";
let count = 0;
beforeEach(() => {
  directory = join(root, `${count++}`);
  mkdirSync(directory);
});

const table = {
  "log-level": flag.string({ usage: "", default: "info", choices: ["info", "debug", "warn"] }),
  "metrics-server": flag.string({ usage: "", default: ":1" }),
  "server-address": flag.list({ usage: "", default: ["x"] }),
  "drain-timeout": flag.duration({ usage: "", default: "10s" }),
  "enable-cri": flag.boolean({ usage: "" }),
  "persist-dir": flag.string({ usage: "", default: "/p" }),
  patterns: flag.patternList({ usage: "" }),
  ...configFlags,
  help: flag.boolean({ usage: "", short: "h" }),
} as const; // const: each flag keeps its own kind

const foreign = [
  { name: "cache-size", value: flag.string({ usage: "", default: "10" }), here: "no cache" },
  { name: "force", value: flag.boolean({ usage: "" }), here: "never" },
  {
    name: "policies-dir",
    value: flag.string({ usage: "", default: "/q" }),
    here: "it is --persist-dir",
    takenBy: "persist-dir",
  },
];

const files = (texts: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(directory, name), text);
};

const load = async (argv: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  await loadFlags({ table, foreign, argv, environment, prefix: "T_", hint: "see t --help" });

async function loaded(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const result = await load(argv, environment);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}
const withFiles = (...argv: readonly string[]) => loaded(["--config-dir", directory, ...argv]);
const refusal = async (...argv: readonly string[]): Promise<string> => {
  const result = await load(["--config-dir", directory, ...argv]);
  return result.ok ? "" : result.error;
};

describe("precedence", () => {
  test("the command line counts before the environment, and the environment before the files", async () => {
    files({ "log-level": "warn", "metrics-server": ":file", "drain-timeout": "1s" });
    const environment = { T_LOG_LEVEL: "debug", T_METRICS_SERVER: ":variable", T_CONFIG_DIR: directory };
    const { flags } = await loaded(["--log-level=info"], environment);
    expect(flags).toMatchObject({
      "log-level": "info",
      "metrics-server": ":variable",
      "drain-timeout": 1000,
    });
  });

  test("what has no effect is not judged", async () => {
    files({ "drain-timeout": "soon" });
    expect((await withFiles("--drain-timeout=1s")).flags["drain-timeout"]).toBe(1000);
  });

  test("an empty variable is none, an empty file clears", async () => {
    files({
      "metrics-server": "\n",
      "enable-cri": "",
      "drain-timeout": "",
      "log-level": "",
      "server-address": "",
    });
    const { flags } = await loaded(["--config-dir", directory], { T_METRICS_SERVER: "" });
    expect(flags).toMatchObject({
      ...{ "metrics-server": "", "enable-cri": false, "drain-timeout": 10_000, "log-level": "info" },
      "server-address": [],
    });
  });

  test("with --help neither files nor variables are read", async () => {
    const result = await load(["--help", "--config-dir=/nowhere"], { T_DRAIN_TIMEOUT: "soon" });
    expect(result.ok && result.value.flags.help).toBe(true);
  });
});

describe("a file", () => {
  test("is read without the space around its value; lists have commas, spaces or line breaks", async () => {
    files({ "enable-cri": " true\r\n", "server-address": "a,b c\nd\n", patterns: "^a b{1,2}$\n" });
    const { flags } = await withFiles();
    expect(flags["enable-cri"]).toBe(true);
    expect(flags["server-address"]).toEqual(["a", "b", "c", "d"]);
    expect(flags.patterns).toEqual(["^a b{1,2}$"]);
  });

  test("of a mounted ConfigMap is a link through ..data; hidden files and directories are skipped", async () => {
    const version = join(directory, "..2026_11_28");
    mkdirSync(version);
    mkdirSync(join(directory, "log-level"));
    writeFileSync(join(version, "drain-timeout"), "3s");
    symlinkSync("..2026_11_28", join(directory, "..data"));
    symlinkSync("..data/drain-timeout", join(directory, "drain-timeout"));
    files({ ".enable-cri": "true" });
    const { flags, unknown } = await withFiles();
    expect(flags["drain-timeout"]).toBe(3000);
    expect(flags["enable-cri"]).toBe(false);
    expect(unknown).toEqual([]);
  });

  test("that belongs to no flag is reported, with the flag that may be meant, and is not read", async () => {
    symlinkSync("/nowhere", join(directory, "tls-secret"));
    files({ "drain-timeouts": "1s", "config-dir": "/elsewhere", help: "true" });
    const { flags, unknown } = await withFiles();
    expect(unknown).toEqual([
      { origin: join(directory, "config-dir"), near: "config-dir" },
      { origin: join(directory, "drain-timeouts"), near: "drain-timeout" },
      { origin: join(directory, "help"), near: "help" },
      { origin: join(directory, "tls-secret"), near: undefined },
    ]);
    expect(flags.help).toBe(false);
  });

  test("with a value that is none is an error of one line that names it", async () => {
    files({ "drain-timeout": "soon" });
    expect(await refusal()).toStartWith(`${join(directory, "drain-timeout")}: "soon" is not a duration`);
  });

  test("with a long value that is none is not repeated", async () => {
    files({ "log-level": `-----BEGIN PRIVATE KEY-----${"x".repeat(100)}` });
    const said = await refusal();
    expect(said).toBe(`${join(directory, "log-level")}: 127 characters are no value of --log-level`);
  });

  test.each([
    { what: "leads to nothing", make: (path: string) => symlinkSync("/nowhere", path) },
    { what: "is a pipe", make: (path: string) => void Bun.spawnSync(["mkfifo", path]) },
    {
      what: "has more than 1 MiB",
      make: (path: string) => {
        writeFileSync(path, "");
        truncateSync(path, 1024 * 1024 + 1);
      },
    },
    { what: "is no text", make: (path: string) => writeFileSync(path, new Uint8Array([0xff, 0xfe])) },
  ])("that $what is an error of one line that names it", async ({ make }) => {
    make(join(directory, "metrics-server"));
    const said = await refusal();
    expect(said).toContain(join(directory, "metrics-server"));
    expect(said.split("\n")).toHaveLength(1);
  });

  test("needs a directory that is there", async () => {
    directory = join(root, "nowhere");
    expect(await refusal()).toContain("nowhere");
  });
});

describe("the environment", () => {
  test("variables of no flag are reported, but not those that Kubernetes sets for a service", async () => {
    const { unknown } = await loaded([], {
      ...{ T_SERVICE_HOST: "10.0.0.1", T_PORT: "tcp://10.0.0.1:2112", T_PORT_2112_TCP_ADDR: "10.0.0.1" },
      ...{ T_OPERATOR_METRICS_SERVICE_PORT_METRICS: "1", T_LOG_LEVELS: "info", LOG_LEVEL: "debug" },
    });
    expect(unknown).toEqual([{ origin: "T_LOG_LEVELS", near: "log-level" }]);
  });

  test("a value that is none is an error that names the variable", async () => {
    const result = await load([], { T_DRAIN_TIMEOUT: "soon" });
    expect(result.ok ? "" : result.error).toStartWith("T_DRAIN_TIMEOUT: ");
  });
});

describe("flags of another program", () => {
  test("are accepted and reported once each, with where they were given first", async () => {
    files({ "cache-size": "30", force: "maybe" });
    const environment = { T_CACHE_SIZE: "20" };
    const line = await loaded(["--cache-size", "10", "rest", "--config-dir", directory], environment);
    expect(line.positionals).toEqual(["rest"]);
    expect(line.foreign).toEqual([
      { name: "cache-size", origin: "the command line", here: "no cache", isDefault: true },
      { name: "force", origin: join(directory, "force"), here: "never", isDefault: false },
    ]);
    const variable = await loaded([], environment);
    expect(variable.foreign).toEqual([
      { name: "cache-size", origin: "T_CACHE_SIZE", here: "no cache", isDefault: false },
    ]);
    expect(Object.keys(line.flags)).toEqual(Object.keys(table));
  });

  test("one that another flag takes gives it its value, where nothing with precedence does", async () => {
    files({ "policies-dir": "/file", "persist-dir": "/own" });
    expect((await withFiles()).flags["persist-dir"]).toBe("/own");
    expect((await withFiles("--policies-dir=/line")).flags["persist-dir"]).toBe("/line");
    expect((await loaded(["--persist-dir=/a", "--policies-dir=/b"])).flags["persist-dir"]).toBe("/a");
  });

  test("a flag of neither is an error on the command line", async () => {
    expect(await refusal("--drain-timeouts=1s")).toBe(
      "unknown flag --drain-timeouts: did you mean --drain-timeout?; see t --help",
    );
  });
});

test("a later error about a flag says where its value is from", async () => {
  files({ "metrics-server": ":x" });
  const { locate } = await withFiles();
  expect(locate("--metrics-server: no")).toBe(
    `--metrics-server: no (from ${join(directory, "metrics-server")})`,
  );
  expect(locate("--persist-dir: no")).toBe("--persist-dir: no");
});
