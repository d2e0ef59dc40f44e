// SPDX-License-Identifier: Apache-2.0
// `detect` reports the facts of a node; `doctor` examines them and advises commands.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type FlagValues, flag } from "@rthooks/flags";
import { openNodeFiles } from "@rthooks/runtime-config/files";
import { outputFlag, renderDocument, toOutputFormat } from "@rthooks/terminal";
import { createAdvice } from "../../core/advice.ts";
import { type Command, defineCommand, exitCode, type Io } from "../../core/command.ts";
import { DEFAULT_INSTALL_DIR } from "../../core/default-paths.ts";
import { diagnose } from "../../core/diagnose.ts";
import { renderFacts, renderFindings } from "../../core/render-node.ts";
import { detectNode } from "./detect-node.ts";
import { toLocalPath } from "./local-path.ts";

const nodeFlags = {
  output: outputFlag("text"),
  root: flag.string({
    usage: "the node's root directory, as this program sees it, such as /host in a container",
    default: "/",
    placeholder: "DIR",
  }),
  "install-dir": flag.string({
    usage: "the install directory, as the node sees it",
    default: DEFAULT_INSTALL_DIR,
    placeholder: "DIR",
  }),
} as const;

type Flags = FlagValues<typeof nodeFlags>;

export const detectCommand: Command = defineCommand({
  name: "detect",
  summary:
    "report the container runtimes of this node, their configuration, and what is installed of the hook",
  flags: nodeFlags,
  examples: ["tetragon-oci-hook-setup detect -o json", "tetragon-oci-hook-setup detect --root /host"],
  async run({ flags }, io) {
    const node = openNode(flags, io);
    if (node === undefined) return exitCode.failed;
    const facts = await detectNode(node, flags["install-dir"]);
    const format = toOutputFormat(flags.output);
    io.stdout(format === "table" ? renderFacts(facts) : renderDocument(format, facts));
    return exitCode.ok;
  },
});

export const doctorCommand: Command = defineCommand({
  name: "doctor",
  summary:
    "report what keeps containers from being held by the hook, and the commands that fix it (then exit code 3)",
  flags: nodeFlags,
  examples: ["tetragon-oci-hook-setup doctor", "tetragon-oci-hook-setup doctor --root /host -o json"],
  async run({ flags }, io) {
    const node = openNode(flags, io);
    if (node === undefined) return exitCode.failed;
    const facts = await detectNode(node, flags["install-dir"]);
    const { root, files } = node;
    const advice = createAdvice({
      facts,
      files,
      toLocal: (path) => (root === "/" ? path : toLocalPath(root, path)),
    });
    const findings = diagnose(facts, advice);
    const format = toOutputFormat(flags.output);
    io.stdout(format === "table" ? renderFindings(findings) : renderDocument(format, { ...facts, findings }));
    return findings.some(({ status }) => status === "fail") ? exitCode.changeNeeded : exitCode.ok;
  },
});

function openNode(
  flags: Flags,
  io: Io,
): { root: string; files: ReturnType<typeof openNodeFiles> } | undefined {
  const root = resolve(flags.root);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) {
    return { root, files: openNodeFiles(root) };
  }
  io.log.error(`${root} is not a directory: set --root to the node's root directory`);
  return undefined;
}
