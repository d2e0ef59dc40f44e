// SPDX-License-Identifier: Apache-2.0
// The hook files and base specs of a node that call the hook, and the programs that they call.

import { DEFAULT_AGENT_ADDRESS } from "@rthooks/net";
import { isJsonObject } from "@rthooks/result";
import { type NodeFiles, toName } from "@rthooks/runtime-config";
import { HOOK } from "./default-paths.ts";
import { findFlag } from "./find-flag.ts";
import { parseHookCommand } from "./hook-command.ts";
import type { HookConfigFacts, OverriddenFacts } from "./node-facts.ts";
import { listHookFiles, readJson } from "./read-json.ts";

export function findInHooksDir(files: NodeFiles, directory: string): readonly HookConfigFacts[] {
  return listHookFiles(files, directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    return toFacts(files, path, "hooks-dir", readJson(files, path)?.["hook"]);
  });
}

/** oci-hooks(5): of files with the same name, the runtime reads the one in the last directory. */
export function findOverridden(files: NodeFiles, directories: readonly string[]): readonly OverriddenFacts[] {
  const last = new Map<string, string>();
  for (const directory of directories) {
    for (const name of listHookFiles(files, directory)) last.set(name, `${directory}/${name}`);
  }
  return directories.flatMap((directory) =>
    files.list(directory).flatMap((name): readonly OverriddenFacts[] => {
      const [path, by] = [`${directory}/${name}`, last.get(name)];
      return by === undefined || by === path ? [] : [{ path, by }];
    }),
  );
}

export function findInBaseSpec(files: NodeFiles, path: string): readonly HookConfigFacts[] {
  const hooks = readJson(files, path)?.["hooks"];
  const stage = isJsonObject(hooks) ? hooks["createRuntime"] : undefined;
  const entries: readonly unknown[] = Array.isArray(stage) ? stage : [];
  return entries.flatMap((entry) => toFacts(files, path, "base-spec", entry));
}

function toFacts(
  files: NodeFiles,
  path: string,
  kind: HookConfigFacts["kind"],
  hook: unknown,
): readonly HookConfigFacts[] {
  const command = parseHookCommand(hook);
  if (command === undefined || toName(command.program) !== HOOK) return [];
  const programs = [...new Set([command.path, command.program])];
  return [
    {
      path,
      kind,
      calls: programs.join(" "),
      missing: programs.filter((program) => !files.isExecutable(program) || files.kind(program) !== "file"),
      agent_address:
        findFlag(command.args, "--grpc-address") ??
        readAddress(files, command.program) ??
        DEFAULT_AGENT_ADDRESS,
    },
  ];
}

/** The agent's address in the configuration file beside the hook. */
function readAddress(files: NodeFiles, program: string): string | undefined {
  const config = readJson(files, `${program}.json`);
  const address = config?.["grpc_address"] ?? config?.["grpcAddress"];
  return typeof address === "string" ? address : undefined;
}
