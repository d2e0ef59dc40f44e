// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { resolveFlags } from "@rthooks/flags";
import { parseConfigText } from "./config-text.ts";
import { type PluginFlags, pluginFlags } from "./plugin-flags.ts";
import { parsePluginArguments, toPluginOptions } from "./plugin-options.ts";

const options = (flags: Partial<PluginFlags> = {}, hookArgs: readonly string[] = []) =>
  toPluginOptions({ ...resolveFlags(pluginFlags), ...flags }, hookArgs);

describe("the command line", () => {
  test("ends where the hook's begins", () => {
    expect(parsePluginArguments(["--mode", "auto", "hook-args", "--grpc-timeout", "5s"])).toMatchObject({
      value: { given: { mode: "auto" }, hookArgs: ["--grpc-timeout", "5s"] },
    });
    expect(parsePluginArguments(["--mode", "auto"])).toMatchObject({ value: { hookArgs: undefined } });
    expect(parsePluginArguments(["hook-args"])).toMatchObject({ value: { hookArgs: [] } });
  });

  test("refuses a flag that is none, or the hook's in front of hook-args", () => {
    expect(parsePluginArguments(["--grpc-timeout", "5s"])).toMatchObject({ ok: false });
  });
});

describe("options", () => {
  test("have the hook log beside itself, as the host and as this program see it", () => {
    const flags = { "oci-hook-path": "/opt/t/hook", "oci-hook-local-path": "/host/opt/t/hook" };
    expect(options(flags, ["--grpc-timeout", "3s"])).toMatchObject({
      value: {
        hook: {
          command: ["/opt/t/hook"],
          localPath: "/host/opt/t/hook",
          args: ["--log-fname", "/opt/t/tetragon-oci-hook.log", "--grpc-timeout", "3s"],
          timeoutSeconds: 8,
        },
        logPath: "/host/opt/t/tetragon-oci-hook.log",
        hostLogPath: "/opt/t/tetragon-oci-hook.log",
        hookConfig: { "grpc-timeout": 3_000 },
      },
    });
  });

  test("leave the operator's log where it was put", () => {
    const args = ["--log-fname=/var/log/hook.log"];
    expect(options({}, args)).toMatchObject({ value: { hook: { args }, logPath: "/var/log/hook.log" } });
  });

  const refused: readonly (readonly [Partial<PluginFlags>, readonly string[], string])[] = [
    [{ mode: "both" }, [], "--mode: both is not one of inject, direct, auto"],
    [{ "nri-index": "1" }, [], "--nri-name, --nri-index: "],
    [{ "nri-name": "a/b" }, [], "--nri-name, --nri-index: "],
    [{ "nri-socket": "nri.sock" }, [], '--nri-socket: "nri.sock" is not an absolute path'],
    [{ "nri-socket": `/${"x".repeat(107)}` }, [], "--nri-socket: a socket's path has at most 107 bytes"],
    [{ "oci-hook-path": "hook" }, [], '--oci-hook-path: "hook" is not an absolute path'],
    [{ "hook-timeout": 10_000 }, [], "--hook-timeout: must be longer"],
    [{}, ["--no-such"], "hook-args: "],
    [{}, ["createRuntime"], 'hook-args: unexpected argument "createRuntime": the plugin adds the stage'],
    [{}, ["--version"], "hook-args: with --version the hook would not hold containers"],
    [{}, ["--grpc-address", "nowhere"], "hook-args: --grpc-address: "],
  ];
  test.each(refused)("%j %j", (flags, hookArgs, error) => {
    expect(options(flags, hookArgs)).toEqual({ ok: false, error: expect.stringContaining(error) });
  });

  test("take a longer limit of the runtime as it is, in whole seconds", () => {
    expect(options({ "hook-timeout": 30_900 })).toMatchObject({ value: { hook: { timeoutSeconds: 30 } } });
  });
});

describe("the configuration of a launched plugin", () => {
  test("has the flags' names, and hook-args", () => {
    const text = '{"mode": "direct", "hook-timeout": "20s", "hook-args": ["--grpc-timeout", "1s"]}';
    expect(parseConfigText(text)).toEqual({
      ok: true,
      value: { given: { mode: "direct", "hook-timeout": 20_000 }, hookArgs: ["--grpc-timeout", "1s"] },
    });
  });

  test("may be empty", () => {
    for (const text of ["", " \n", "{}"])
      expect(parseConfigText(text)).toEqual({ ok: true, value: { given: {}, hookArgs: undefined } });
  });

  const refused: Readonly<Record<string, string>> = {
    "mode: direct": "it is not JSON",
    "[]": "it is not a JSON object",
    null: "it is not a JSON object",
    '{"mode": true}': "mode: expected a string",
    '{"mode": "both"}': "mode: ",
    '{"nri-socket": "/x"}': '"nri-socket" cannot be set here',
    '{"log-level": "debug"}': '"log-level" cannot be set here',
    '{"__proto__": "x"}': '"__proto__" cannot be set here',
    '{"toString": "x"}': '"toString" cannot be set here',
    '{"hook-args": "--x"}': "hook-args: expected a list of strings",
    '{"hook-args": [1]}': "hook-args: expected a list of strings",
  };
  test.each(Object.entries(refused))("%s", (text, error) => {
    expect(parseConfigText(text)).toEqual({ ok: false, error: expect.stringContaining(error) });
  });
});
