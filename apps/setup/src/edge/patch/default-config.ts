// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { openNodeFiles } from "@rthooks/runtime-config/files";
import { listRuntimePlaces } from "../../core/runtime-places.ts";
import { runInRoot } from "../install/run-in-root.ts";

/** The output of `containerd config default` of the node's containerd, as the text of a new file. */
export async function printDefaultConfig(root: string): Promise<Result<string, string>> {
  const files = openNodeFiles(root);
  const programs = listRuntimePlaces(files)
    .filter(({ kind }) => kind === "containerd")
    .flatMap((place) => place.programs);
  const program = programs.find(files.isExecutable);
  if (program === undefined) return err(`no containerd found in ${root}: create the file by hand`);
  const ran = await runInRoot(root, [program, "config", "default"]);
  if (ran.ok && ran.value.exitCode === 0 && ran.value.stdout !== "") return ok(ran.value.stdout);
  const reason = ran.ok ? ran.value.stderr.trim().split("\n")[0] : ran.error;
  return err(`\`${program} config default\` failed: ${reason}`);
}
