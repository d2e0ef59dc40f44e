// SPDX-License-Identifier: Apache-2.0
// The flag -o, and the formats for programs.

import { flag, type StringFlag } from "@rthooks/flags";
import { escapeUnprintable } from "@rthooks/log/escape-unprintable";
import { toYaml } from "./to-yaml.ts";

/** `table`: for people, also where it is a text of another form. */
export type OutputFormat = "table" | "json" | "yaml";

/** `human`: what the command's own form is called. */
export const outputFlag = (human: "table" | "text"): StringFlag =>
  flag.string({
    usage: "output format",
    default: human,
    choices: [human, "json", "yaml"],
    // Scripts use both names: the tables were called text once, and completion proposes "table" for every command.
    synonyms: [human === "table" ? "text" : "table"],
    short: "o",
  });

/** Reads a value of that flag. */
export const toOutputFormat = (text: string): OutputFormat =>
  text === "json" || text === "yaml" ? text : "table";

/** One whole document. `value` is plain JSON. */
export const renderDocument = (format: "json" | "yaml", value: unknown): string =>
  format === "json" ? `${escapeInvisible(JSON.stringify(value, undefined, 2))}\n` : toYaml(value);

/** One of many values of a stream: a line of JSON, or a YAML document that begins with `---`. */
export const renderStreamed = (format: "json" | "yaml", value: unknown): string =>
  format === "json" ? `${escapeInvisible(JSON.stringify(value))}\n` : `---\n${toYaml(value)}`;

/** JSON.stringify escapes C0 controls only. The others can occur in strings alone, where an escape means the same. */
const escapeInvisible = (json: string): string => json.split("\n").map(escapeUnprintable).join("\n");
