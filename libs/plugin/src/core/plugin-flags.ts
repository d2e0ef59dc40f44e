// SPDX-License-Identifier: Apache-2.0

import { type FlagValues, flag } from "@rthooks/flags";
import { healthFlags } from "@rthooks/grpc/health-flags";
import { inspectFlags } from "@rthooks/inspector/flags";
import { logFormats, logLevels } from "@rthooks/log";

export const pluginModes = ["inject", "direct", "auto"] as const; // const: the names are a union
export type PluginMode = (typeof pluginModes)[number];

/** Separates the plugin's flags from those of tetragon-oci-hook. */
export const HOOK_ARGS = "hook-args";

export const pluginFlags = {
  "nri-socket": flag.string({
    usage: "NRI socket of the runtime; the plugin reconnects when the runtime restarts",
    default: "/var/run/nri/nri.sock",
    placeholder: "FILE",
  }),
  "nri-name": flag.string({
    usage: "plugin name to register with",
    default: "tetragon",
    placeholder: "NAME",
  }),
  "nri-index": flag.string({
    usage: "plugin index to register with, two digits: the order among the plugins of the node",
    default: "01",
    placeholder: "NN",
  }),
  mode: flag.string({
    usage:
      "inject: add tetragon-oci-hook to each container; direct: hold each container at StartContainer, without a " +
      "process per container; auto: direct on a runtime that respects errors there (containerd), else inject",
    default: "inject",
    choices: pluginModes,
  }),
  "containerd-config": flag.string({
    usage:
      "configuration file of containerd; if its default validator rejects hooks (reject_oci_hook_adjustment), inject " +
      "mode becomes direct mode; without the file, the mode stays inject",
    default: "/etc/containerd/config.toml",
    placeholder: "FILE",
  }),
  "oci-hook-path": flag.string({
    usage: "path of tetragon-oci-hook on the host",
    default: "/opt/tetragon/tetragon-oci-hook",
    placeholder: "FILE",
  }),
  "oci-hook-local-path": flag.string({
    usage: "path of the same file in this process's mount namespace (default: --oci-hook-path)",
    placeholder: "FILE",
  }),
  "hook-timeout": flag.duration({
    usage:
      "timeout of the injected hook in the OCI spec, in whole seconds; 0s: five more than the hook's --grpc-timeout",
    default: 0,
  }),
  procfs: flag.string({
    usage: "the host's /proc, to read the cgroup of a container's first process",
    default: "/proc",
    placeholder: "DIR",
  }),
  "metrics-address": flag.string({
    usage: "address to serve Prometheus metrics on, host:port or unix:///path (default: no metrics)",
    placeholder: "ADDRESS",
  }),
  ...healthFlags,
  ...inspectFlags,
  "log-format": flag.string({
    usage: "format of the log on standard error",
    default: "text",
    choices: logFormats,
  }),
  "log-level": flag.string({ usage: "lowest level to log", default: "info", choices: logLevels }),
  "just-print-config": flag.boolean({ usage: "print the effective configuration as JSON and exit" }),
  help: flag.boolean({ usage: "print this help and exit", short: "h" }),
  version: flag.boolean({ usage: "print the version and exit" }),
} as const;

export type PluginFlags = FlagValues<typeof pluginFlags>;
