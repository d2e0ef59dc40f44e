// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";
import { type Command, defineCommand, exitCode } from "../../core/command.ts";
import { enableAnnotations } from "../../core/patch-crio.ts";
import { crioFileFlags } from "../../core/patch-flags.ts";
import { patchFile } from "./patch-file.ts";

export const enableCrioAnnotations: Command = defineCommand({
  name: "patch-crio-conf enable-annotations",
  summary: "allow pod annotations in the OCI spec that the hook reads, for every runtime of CRI-O's file",
  flags: {
    ...crioFileFlags,
    annotations: flag.list({ usage: "annotation keys, or prefixes of keys; required", placeholder: "KEY,…" }),
  },
  async run({ flags }, io) {
    if (flags.annotations.length === 0) {
      io.stderr("tetragon-oci-hook-setup: --annotations KEY,… is required\n");
      return exitCode.usage;
    }
    return patchFile(
      {
        path: flags["config-file"],
        output: flags["output-file"],
        inPlace: flags["in-place"],
        diff: flags.diff,
        check: flags.check,
        plan: (text = "") => enableAnnotations(flags["config-file"], text, flags.annotations),
      },
      io,
    );
  },
});
