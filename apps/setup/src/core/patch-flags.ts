// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";
import { DEFAULT_BASE_SPEC, DEFAULT_HOOK } from "./default-paths.ts";

const outputFlags = {
  "in-place": flag.boolean({ usage: "change the file itself and keep a backup copy of it" }),
  diff: flag.boolean({ usage: "print the change as a unified diff; write nothing" }),
  check: flag.boolean({ usage: "write nothing; exit code 3 if a change is needed" }),
} as const;

export const containerdFileFlags = {
  "config-file": flag.string({
    usage: "containerd's configuration file",
    default: "/etc/containerd/config.toml",
    placeholder: "FILE",
  }),
  output: flag.string({
    usage: "file to write the result to, - for standard output (default: a new temporary file)",
    placeholder: "FILE",
  }),
  ...outputFlags,
  create: flag.boolean({
    usage: "with --in-place: create a missing file from the output of `containerd config default`",
  }),
  "host-root": flag.string({
    usage: "the host's root directory, as this program sees it; imported files are read there",
    default: "/",
    placeholder: "DIR",
  }),
  "containerd-version": flag.string({
    usage:
      "version of containerd on the node, such as 2.2.0; decides how several files are merged; required by --require-plugin",
    placeholder: "VERSION",
  }),
} as const;

export const crioFileFlags = {
  "config-file": flag.string({
    usage: "CRI-O's configuration file: the main file or a drop-in file",
    default: "/etc/crio/crio.conf",
    placeholder: "FILE",
  }),
  "output-file": flag.string({
    usage: "file to write the result to, - for standard output (default: a new temporary file)",
    placeholder: "FILE",
  }),
  ...outputFlags,
} as const;

export const baseSpecFlags = {
  "base-spec": flag.string({
    usage: "the base spec, as containerd sees it",
    default: DEFAULT_BASE_SPEC,
    placeholder: "FILE",
  }),
  "oci-hook-path": flag.string({
    usage: "the hook, as the host sees it",
    default: DEFAULT_HOOK,
    placeholder: "FILE",
  }),
} as const;
