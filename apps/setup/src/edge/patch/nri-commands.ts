// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";
import { type Command, defineCommand } from "../../core/command.ts";
import { containerdFileFlags } from "../../core/patch-flags.ts";
import { patchContainerdFile } from "./patch-containerd-file.ts";

export const enableNri: Command = defineCommand({
  name: "patch-containerd-conf enable-nri",
  summary: "enable NRI in containerd's configuration",
  flags: {
    ...containerdFileFlags,
    "require-plugin": flag.string({
      usage: "reject new containers while this NRI plugin is not connected (containerd 2.2 and later)",
      placeholder: "NAME",
    }),
  },
  examples: [
    "tetragon-oci-hook-setup patch-containerd-conf enable-nri --config-file old.toml --output new.toml",
    "tetragon-oci-hook-setup patch-containerd-conf enable-nri --in-place",
  ],
  run: ({ flags }, io) =>
    patchContainerdFile(
      flags,
      {
        kind: "enable-nri",
        requirePlugin: flags["require-plugin"] || undefined,
        containerdVersion: flags["containerd-version"] || undefined,
      },
      io,
    ),
});

export const disableNri: Command = defineCommand({
  name: "patch-containerd-conf disable-nri",
  summary: "disable NRI in containerd's configuration",
  flags: containerdFileFlags,
  run: ({ flags }, io) => patchContainerdFile(flags, { kind: "disable-nri" }, io),
});
