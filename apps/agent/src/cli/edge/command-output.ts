// SPDX-License-Identifier: Apache-2.0
// What commands have in common: errors, help and version. Each returns the exit code.

import { parseArguments, resolveFlags } from "@rthooks/flags";
import { renderDocument, toOutputFormat } from "@rthooks/terminal";
import { versionFlags } from "../core/flag-tables.ts";
import type { HelpTopic } from "./help.ts";

export function fail(message: string): number {
  process.stderr.write(`tetragon: ${message}\n`);
  return 1;
}

export async function showVersion(argv: readonly string[], version: string): Promise<number> {
  const parsed = parseArguments(versionFlags, argv);
  if (!parsed.ok) return fail(`version: ${parsed.error.message}`);
  const flags = resolveFlags(versionFlags, parsed.value.given);
  if (flags.help) return await showHelp("version");
  const [stray] = parsed.value.positionals;
  if (stray !== undefined) return fail(`version: unexpected argument ${JSON.stringify(stray)}`);
  const format = toOutputFormat(flags.output);
  process.stdout.write(
    format === "table" ? `tetragon ${version}\n` : renderDocument(format, { program: "tetragon", version }),
  );
  return 0;
}

export async function showHelp(topic: HelpTopic): Promise<number> {
  const { helpTopics } = await import("./help.ts");
  const { renderHelp } = await import("@rthooks/flags/help");
  process.stdout.write(renderHelp(helpTopics[topic]));
  return 0;
}
