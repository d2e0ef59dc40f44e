// SPDX-License-Identifier: Apache-2.0
// Flags, defaults and configuration keys: those of Tetragon's own hook, and --grpc-timeout-allowed.

import { type FlagValues, flag } from "@rthooks/flags";

const DEFAULT_ADDRESS = "unix:///var/run/tetragon/tetragon.sock";

export const hookFlags = {
  "log-fname": flag.string({
    usage: "log file; empty for standard error",
    default: "tetragon-oci-hook.log beside the program",
    placeholder: "FILE",
  }),
  "log-level": flag.string({
    usage: "lowest level that is logged",
    default: "info",
    choices: ["debug", "info", "warn", "error"],
  }),
  "grpc-address": flag.string({
    usage: "address of the agent: unix:///path, host:port, or tls://host:port for one that serves TLS",
    default: DEFAULT_ADDRESS,
    placeholder: "ADDRESS",
  }),
  "grpc-timeout": flag.duration({
    usage: "time for the whole call, connecting and waiting for the answer together",
    default: 10_000,
  }),
  "grpc-timeout-allowed": flag.duration({
    usage: "time to wait for an agent that is not there when the container may start anyway",
    default: 1_000,
  }),
  "tls-ca-file": flag.string({
    usage:
      "certificates that may have signed the agent's, PEM; with a tls:// address (default: the system's)",
    placeholder: "FILE",
  }),
  "tls-cert-file": flag.string({ usage: "certificate to show to the agent, PEM", placeholder: "FILE" }),
  "tls-key-file": flag.string({ usage: "its private key, PEM", placeholder: "FILE" }),
  "disable-grpc": flag.boolean({ usage: "log only: do not contact the agent, let every container start" }),
  "just-print-config": flag.boolean({ usage: "print the effective configuration as JSON and exit" }),
  "annotations-namespace-key": flag.list({
    usage:
      "annotations that hold the namespace of the pod, for the fail check; all that are there must be allowed",
    default: ["io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"],
    placeholder: "KEY,…",
  }),
  "fail-cel-expr": flag.string({
    usage:
      "CEL expression that decides, when the agent cannot be asked, whether the container fails (true) or " +
      "starts (false); replaces the two lists below. Variables: annotations, annotations_namespace_keys",
    placeholder: "CEL",
  }),
  "fail-allow-namespaces": flag.list({
    usage: "namespaces whose containers start although the agent cannot be asked",
    default: ["kube-system"],
    placeholder: "NAMESPACE,…",
  }),
  "fail-allow-namespaces-regex": flag.patternList({
    usage: "the same by regular expression (RE2, matches anywhere in the name)",
    placeholder: "REGEX,…",
  }),
  help: flag.boolean({ usage: "print this help and exit", short: "h" }),
  version: flag.boolean({ usage: "print the version and exit" }),
} as const;

export type HookConfig = FlagValues<typeof hookFlags>;

type HookFlag = keyof typeof hookFlags;

const notInFile: readonly HookFlag[] = ["help", "version", "just-print-config"];

/** Flag names as the configuration file writes them: `log_fname` and `logFname`. */
export function findConfigFlag(key: string): HookFlag | undefined {
  return (Object.keys(hookFlags) as HookFlag[]).find(
    (name) =>
      !notInFile.includes(name) &&
      (key === name.replaceAll("-", "_") ||
        key === name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())),
  );
}
