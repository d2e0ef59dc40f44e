// SPDX-License-Identifier: Apache-2.0
// Flags, defaults and configuration keys: those of Tetragon's own hook, and --grpc-timeout-allowed.

import { type FlagValues, flag } from "@rthooks/flags";
import { logLevels } from "@rthooks/log/log-level";
import { DEFAULT_AGENT_ADDRESS } from "@rthooks/net";

export const hookFlags = {
  "log-fname": flag.string({
    usage: "log file; empty for standard error",
    default: "tetragon-oci-hook.log beside the program",
    placeholder: "FILE",
  }),
  "log-level": flag.string({
    usage: "lowest level to log",
    default: "info",
    choices: logLevels,
  }),
  "grpc-address": flag.string({
    usage: "address of the agent: unix:///path, host:port, or tls://host:port for TLS",
    default: DEFAULT_AGENT_ADDRESS,
    placeholder: "ADDRESS",
  }),
  "grpc-timeout": flag.duration({
    usage: "timeout of the call to the agent, including the time to connect",
    default: 10_000,
  }),
  "grpc-timeout-allowed": flag.duration({
    usage: "time to wait for an unreachable agent if the fail check allows the container",
    default: 1_000,
  }),
  "tls-ca-file": flag.string({
    usage: "CA bundle (PEM) to verify the agent's certificate, for a tls:// address (default: the system's)",
    placeholder: "FILE",
  }),
  "tls-cert-file": flag.string({ usage: "client certificate (PEM) for the agent", placeholder: "FILE" }),
  "tls-key-file": flag.string({ usage: "private key (PEM) of the client certificate", placeholder: "FILE" }),
  "disable-grpc": flag.boolean({ usage: "only log: release every container without calling the agent" }),
  "just-print-config": flag.boolean({ usage: "print the effective configuration as JSON and exit" }),
  "annotations-namespace-key": flag.list({
    usage:
      "annotation keys with the pod's namespace, for the fail check; every namespace found must be allowed",
    default: ["io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"],
    placeholder: "KEY,…",
  }),
  "fail-cel-expr": flag.string({
    usage:
      "CEL expression of the fail check: true denies the container, false allows it; replaces the two lists " +
      "below. Variables: annotations, annotations_namespace_keys",
    placeholder: "CEL",
  }),
  "fail-allow-namespaces": flag.list({
    usage: "namespaces whose containers the fail check allows",
    default: ["kube-system"],
    placeholder: "NAMESPACE,…",
  }),
  "fail-allow-namespaces-regex": flag.patternList({
    usage: "the same as regular expressions (RE2, matched anywhere in the name)",
    placeholder: "REGEX,…",
  }),
  help: flag.boolean({ usage: "print this help and exit", short: "h" }),
  version: flag.boolean({ usage: "print the version and exit" }),
} as const;

export type HookConfig = FlagValues<typeof hookFlags>;

type HookFlag = keyof typeof hookFlags;

const notInFile: readonly HookFlag[] = ["help", "version", "just-print-config"];

/** Finds a flag by its key in the configuration file: `log_fname` or `logFname`. */
export function findConfigFlag(key: string): HookFlag | undefined {
  return (Object.keys(hookFlags) as HookFlag[]).find(
    (name) =>
      !notInFile.includes(name) &&
      (key === name.replaceAll("-", "_") ||
        key === name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())),
  );
}
