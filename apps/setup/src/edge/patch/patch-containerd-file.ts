// SPDX-License-Identifier: Apache-2.0

import type { FlagValues } from "@rthooks/flags";
import { err, ok } from "@rthooks/result";
import type { Io } from "../../core/command.ts";
import type { ContainerdPatch } from "../../core/patch.ts";
import type { containerdFileFlags } from "../../core/patch-flags.ts";
import { printDefaultConfig } from "./default-config.ts";
import { type FileTask, patchFile } from "./patch-file.ts";
import { isGeneratedFromTemplate, planFiles } from "./plan-files.ts";

/** Patches containerd's configuration as the flags say; returns the exit code. */
export const patchContainerdFile = (
  flags: FlagValues<typeof containerdFileFlags>,
  patch: ContainerdPatch,
  io: Io,
  prepare?: FileTask["prepare"],
): Promise<number> =>
  patchFile(
    {
      path: flags["config-file"],
      output: flags.output,
      inPlace: flags["in-place"],
      diff: flags.diff,
      check: flags.check,
      async make() {
        const path = flags["config-file"];
        if (isGeneratedFromTemplate(path)) return ok(undefined);
        if (flags.create && flags["in-place"]) return printDefaultConfig(flags["host-root"]);
        return err(
          `${path}: no such file: create it with \`containerd config default > ${path}\` or with --create --in-place`,
        );
      },
      plan: (text) =>
        planFiles(
          {
            path: flags["config-file"],
            text,
            hostRoot: flags["host-root"],
            release: flags["containerd-version"] || undefined,
          },
          patch,
        ),
      ...(prepare === undefined ? {} : { prepare }),
    },
    io,
  );
