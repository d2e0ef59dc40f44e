// SPDX-License-Identifier: Apache-2.0
// The hook program: reads flags and configuration, runs the stage, and returns the exit code.

import { type ParsedArguments, parseArguments, resolveFlags } from "@rthooks/flags";
import {
  type AgentAddress,
  createHookLog,
  type FailRules,
  type HookConfig,
  hookFlags,
  loadFailRules,
  parseAgentAddress,
} from "@rthooks/hold";
import { err, ok, type Result } from "@rthooks/result";
import { renderSysError, type System } from "@rthooks/sys";
import { type ConfigFile, parseConfigFile } from "../core/load-config.ts";
import { createContainer, type HookSetup } from "./create-container.ts";

/** 0 releases the container, 1 denies it. */
export type ExitCode = 0 | 1;

const MAX_CONFIG_BYTES = 1024 * 1024;
const emptyFile: ConfigFile = { given: {}, unknownKeys: [] };

export async function runHookProgram(
  system: System,
  argv: readonly string[],
  podEnvironment: string | undefined,
  version: string,
): Promise<ExitCode> {
  const parsed = parseArguments(hookFlags, argv);
  const { given } = parsed.ok ? parsed.value : parsed.error;
  const isInformational = given.help === true || given.version === true;
  if (parsed.ok && (isInformational || parsed.value.positionals[0] === "completion")) {
    return answer(system, version, parsed.value);
  }

  const directory = programDirectory(system);
  const file = directory.ok ? readConfigFile(system, directory.value) : directory;
  const config = resolveFlags(hookFlags, file.ok ? file.value.given : {}, given);
  const logPath = given["log-fname"] ?? (file.ok ? file.value.given["log-fname"] : undefined);
  const defaultLog = directory.ok ? `${directory.value}/tetragon-oci-hook.log` : "";
  const log = createHookLog(system, logPath ?? defaultLog, config["log-level"]);

  const fail = async (message: string): Promise<ExitCode> => {
    system.writeStderr(`tetragon-oci-hook: ${message}\n`);
    await log.write("error", "invalid configuration of the hook", { err: message });
    return 1;
  };
  if (!parsed.ok) return fail(`${parsed.error.message} (--help lists all)`);
  if (!file.ok) return fail(file.error);
  if (file.value.unknownKeys.length > 0) {
    await log.write("warn", "ignoring unknown keys in the configuration file", {
      keys: file.value.unknownKeys,
    });
  }
  if (config["just-print-config"]) return printConfig(system, { ...config, "log-fname": log.path }, fail);
  const [stage, ...others] = parsed.value.positionals;
  if (stage === undefined) return fail("missing stage, such as: tetragon-oci-hook createRuntime");
  if (others.length > 0) return fail(`unexpected argument ${JSON.stringify(others[0])}`);
  return runStage(
    stage,
    { system, config, log, userAgent: `tetragon-oci-hook/${version}`, podEnvironment },
    fail,
  );
}

type Fail = (message: string) => Promise<ExitCode>;
type StageSetup = Omit<HookSetup, "address" | "rules">;

async function runStage(stage: string, setup: StageSetup, fail: Fail): Promise<ExitCode> {
  const { config, log } = setup;
  switch (stage) {
    case "createRuntime":
    case "prestart":
    case "server-version": {
      const checked = await checkConfig(config);
      if (!checked.ok) return fail(checked.error);
      if (stage === "server-version") {
        const { printServerVersion } = await import("./server-version.ts");
        return printServerVersion(setup, checked.value.address);
      }
      return (await createContainer({ ...setup, ...checked.value })) ? 0 : 1;
    }
    case "createContainer":
    case "poststop":
      await log.write("info", "nothing to do", { hook: stage });
      return 0;
    default:
      await log.write("warn", "hook called with unknown hook", { hook: stage });
      return 0;
  }
}

/** The program's directory, for its configuration and log: the working directory may be a container's. */
function programDirectory(system: System): Result<string, string> {
  const program = system.readLink("/proc/self/exe");
  // An error, since a configuration file may exist there.
  if (!program.ok) return err(`cannot find the program's directory: ${renderSysError(program.error)}`);
  return ok(program.value.slice(0, program.value.lastIndexOf("/")));
}

function readConfigFile(system: System, directory: string): Result<ConfigFile, string> {
  const path = `${directory}/tetragon-oci-hook.json`;
  const bytes = system.readRegularFile(path, { maxBytes: MAX_CONFIG_BYTES });
  if (!bytes.ok) {
    if (bytes.error.code === "ENOENT") return ok(emptyFile);
    return err(bytes.error.code === "ETOOBIG" ? `${path}: too large` : renderSysError(bytes.error));
  }
  const parsed = parseConfigFile(new TextDecoder().decode(bytes.value));
  return parsed.ok ? parsed : err(`${path}: ${parsed.error}`);
}

interface CheckedConfig {
  readonly address: AgentAddress;
  readonly rules: FailRules;
}

/** Checks the values that the flag parser does not check; the error is one line. */
async function checkConfig(config: HookConfig): Promise<Result<CheckedConfig, string>> {
  const address = parseAgentAddress(config["grpc-address"]);
  if (!address.ok) return err(`--grpc-address: ${address.error}`);
  const rules = await loadFailRules(config);
  return rules.ok ? ok({ address: address.value, rules: rules.value }) : rules;
}

/** Prints the configuration after checking it: the set-up tool relies on that. */
async function printConfig(system: System, config: HookConfig, fail: Fail): Promise<ExitCode> {
  const checked = await checkConfig(config);
  if (!checked.ok) return fail(checked.error);
  const { renderConfig } = await import("../core/render-config.ts");
  system.writeStdout(renderConfig(config));
  return 0;
}

async function answer(
  system: System,
  version: string,
  { given, positionals }: ParsedArguments<typeof hookFlags>,
): Promise<ExitCode> {
  const { renderAnswer } = await import("../core/hook-help.ts");
  const text = renderAnswer(given, positionals, version);
  if (text.ok) system.writeStdout(text.value);
  else system.writeStderr(`tetragon-oci-hook: ${text.error}\n`);
  return text.ok ? 0 : 1;
}
