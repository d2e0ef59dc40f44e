// SPDX-License-Identifier: Apache-2.0

import { type FlagValues, flag } from "@rthooks/flags";
import { logFormats, logLevels } from "@rthooks/log";

export const pluginModes = ["inject", "direct", "auto"] as const; // const: the names are a union
export type PluginMode = (typeof pluginModes)[number];

/** The word behind which everything belongs to tetragon-oci-hook. */
export const HOOK_ARGS = "hook-args";

export const pluginFlags = {
  "nri-socket": flag.string({
    usage: "the runtime's NRI socket; followed through restarts of the runtime",
    default: "/var/run/nri/nri.sock",
    placeholder: "FILE",
  }),
  "nri-name": flag.string({ usage: "name to register with", default: "tetragon", placeholder: "NAME" }),
  "nri-index": flag.string({
    usage: "two digits: the plugin's place among all plugins of the node",
    default: "01",
    placeholder: "NN",
  }),
  mode: flag.string({
    usage:
      "inject: add tetragon-oci-hook to each container; direct: ask the agent from here, with no process per " +
      "container; auto: direct where the runtime can be kept from starting a container (containerd), else inject",
    default: "inject",
    choices: pluginModes,
  }),
  "containerd-config": flag.string({
    usage:
      "containerd's configuration: where its default validator rejects hooks (reject_oci_hook_adjustment), inject is " +
      "direct; without the file, inject stays",
    default: "/etc/containerd/config.toml",
    placeholder: "FILE",
  }),
  "oci-hook-path": flag.string({
    usage: "tetragon-oci-hook on the host",
    default: "/opt/tetragon/tetragon-oci-hook",
    placeholder: "FILE",
  }),
  "oci-hook-local-path": flag.string({
    usage: "the same file as this program sees it, when it runs in a container (default: --oci-hook-path)",
    placeholder: "FILE",
  }),
  "hook-timeout": flag.duration({
    usage:
      "the runtime's own limit for the injected hook, in whole seconds; 0s: five more than its --grpc-timeout",
    default: 0,
  }),
  procfs: flag.string({
    usage: "the host's /proc: where the kernel has a container's process is where its cgroup is",
    default: "/proc",
    placeholder: "DIR",
  }),
  "metrics-address": flag.string({
    usage: "where to serve metrics in Prometheus' text form: host:port or unix:///path (default: nowhere)",
    placeholder: "ADDRESS",
  }),
  "log-format": flag.string({
    usage: "form of the log lines on stderr",
    default: "text",
    choices: logFormats,
  }),
  "log-level": flag.string({ usage: "least important lines to log", default: "info", choices: logLevels }),
  "just-print-config": flag.boolean({ usage: "print the effective configuration as JSON and exit" }),
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const;

export type PluginFlags = FlagValues<typeof pluginFlags>;
