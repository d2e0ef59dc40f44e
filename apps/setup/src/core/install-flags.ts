// SPDX-License-Identifier: Apache-2.0

import { flag } from "@rthooks/flags";
import { pluginFlags } from "@rthooks/plugin";
import {
  DEFAULT_HOOK,
  DEFAULT_INSTALL_DIR,
  DEFAULT_NRI_SOCKET,
  HOOK,
  HOST_HOOKS_DIR,
  POD_HOOKS_DIR,
} from "./default-paths.ts";

const interfaces = ["oci-hooks", "nri-hook"] as const; // const: the names are a union

const libcs = ["auto", "host", "bundled"] as const; // const: the names are a union

const interfaceFlag = flag.string({
  usage:
    "how the runtime gets the hook: from a hooks directory (CRI-O, podman) or from an NRI plugin (containerd, CRI-O)",
  default: "oci-hooks",
  choices: interfaces,
});

const placeFlags = {
  "local-install-dir": flag.string({
    usage: "the install directory, as this program sees it (default: --host-install-dir)",
    placeholder: "DIR",
  }),
  "host-install-dir": flag.string({
    usage: `the install directory, as the host sees it (default: --local-install-dir, else ${DEFAULT_INSTALL_DIR})`,
    placeholder: "DIR",
  }),
  "oci-hooks.local-dir": flag.string({
    usage: `the runtime's hooks directory, as this program sees it (default: ${POD_HOOKS_DIR}, else ${HOST_HOOKS_DIR})`,
    placeholder: "DIR",
  }),
  "oci-hooks.file-name": flag.string({
    usage:
      "file name of the hook file, such as my-release-oci-hook.json; installations that share a hooks directory need " +
      "different ones (default: the name of the hook with .json)",
    placeholder: "NAME",
  }),
} as const;

export const installFlags = {
  interface: interfaceFlag,
  ...placeFlags,
  "local-binary": flag.string({
    usage:
      "the hook binary to install (default: /usr/bin/tetragon-oci-hook, else the one beside this program)",
    placeholder: "FILE",
  }),
  "nri-hook.index": flag.string({
    usage: "two digits that order the NRI plugins of a runtime",
    default: "01",
    placeholder: "NN",
  }),
  "nri-hook.name": flag.string({
    usage: "the name of the NRI plugin",
    default: "tetragon",
    placeholder: "NAME",
  }),
  "nri-hook.socket": flag.string({
    usage: "the runtime's NRI socket",
    default: DEFAULT_NRI_SOCKET,
    placeholder: "FILE",
  }),
  "nri-hook.mode": { ...pluginFlags.mode, usage: `with --interface nri-hook: ${pluginFlags.mode.usage}` },
  "nri-hook.metrics-address": pluginFlags["metrics-address"],
  "nri-hook.health-server-address": pluginFlags["health-server-address"],
  "nri-hook.health-server-interval": pluginFlags["health-server-interval"],
  "nri-hook.inspect-address": pluginFlags["inspect-address"],
  "nri-hook.inspect-token-file": pluginFlags["inspect-token-file"],
  daemonize: flag.boolean({
    usage:
      "keep the installed files in place until SIGTERM or SIGINT, then uninstall; required by --interface nri-hook",
  }),
  "keep-on-exit": flag.boolean({ usage: "with --daemonize: do not uninstall at exit" }),
  daemonset: flag.string({
    usage:
      "with --daemonize in a pod: the DaemonSet of this pod. At exit the files stay for its next pod, unless the " +
      "DaemonSet is deleted, does not select this node any more, or installs elsewhere",
    placeholder: "NAMESPACE/NAME",
  }),
  "node-name": flag.string({
    usage: "with --daemonset: the node of this pod, to compare it with the DaemonSet's node selector",
    placeholder: "NAME",
  }),
  "status-socket": flag.string({
    usage: "with --daemonize: unix socket on which `status` asks whether the hook works (default: none)",
    placeholder: "FILE",
  }),
  libc: flag.string({
    usage:
      "the C library for the hook: the host's, a bundled copy, or auto, which bundles one if the host's cannot run the hook",
    default: "auto",
    choices: libcs,
  }),
  "libc-dir": flag.string({
    usage: "directory of the C library to copy (default: that of the one this program runs on)",
    placeholder: "DIR",
  }),
  "host-root": flag.string({
    usage: "the host's root directory, as this program sees it; the hook is checked there",
    default: "/",
    placeholder: "DIR",
  }),
  force: flag.boolean({
    usage: "also replace a newer version of the hook, or another hook's file of the same name",
  }),
} as const;

export const uninstallFlags = {
  interface: interfaceFlag,
  ...placeFlags,
  "host-root": flag.string({
    usage: "the host's root directory, as this program sees it; runtime configurations are searched there",
    default: "/",
    placeholder: "DIR",
  }),
  force: flag.boolean({
    usage: "also remove a hook that a runtime still calls; containers of that runtime then fail to start",
  }),
  "binary-name": flag.string({
    usage: "file name of the installed hook",
    default: HOOK,
    placeholder: "NAME",
  }),
} as const;

export const printConfigFlags = {
  interface: interfaceFlag,
  binary: flag.string({
    usage: "the hook, as the host sees it",
    default: DEFAULT_HOOK,
    placeholder: "FILE",
  }),
  args: flag.list({
    usage: "the hook's argument vector, argv[0] first (default: the hook and its stage)",
    placeholder: "ARG,…",
  }),
} as const;
