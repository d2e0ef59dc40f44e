// SPDX-License-Identifier: Apache-2.0
// The operator's command line. Names and defaults are those of Tetragon's operator.

import { configFlags } from "@rthooks/config/config-flags";
import { flag } from "@rthooks/flags";
import type { CommandHelp } from "@rthooks/flags/help";
import { logFormats, logLevels } from "@rthooks/log";

export const operatorFlags = {
  "skip-crd-creation": flag.boolean({ usage: "create and upgrade no CustomResourceDefinition (CRD)" }),
  "skip-tracing-policy-crd": flag.boolean({
    usage: "leave out the CRDs of TracingPolicy and TracingPolicyNamespaced",
  }),
  "skip-pod-info-crd": flag.boolean({
    usage: "leave out the CRD of PodInfo, and keep no PodInfo objects",
  }),
  "force-update-crds": flag.boolean({
    usage: "replace CRDs in the cluster whatever their version, also by an older one",
  }),
  "kube-config": flag.string({
    usage: "kubeconfig for the API server (default: the service account of the operator's pod)",
    placeholder: "FILE",
  }),
  ...configFlags,
  "metrics-bind-address": flag.string({
    usage: "address of the Prometheus metrics, host:port, :port or unix:///path; 0: none (serve)",
    default: "0",
    placeholder: "ADDRESS",
  }),
  "health-probe-bind-address": flag.string({
    usage: "address of /healthz and /readyz, host:port, :port or unix:///path; 0: none (serve)",
    default: ":8081",
    placeholder: "ADDRESS",
  }),
  "leader-election": flag.boolean({
    usage: "write to the API server only with a lease, so that of several operators one works (serve)",
  }),
  "leader-election-namespace": flag.string({
    usage: "namespace of the lease (default: that of the operator's pod)",
    placeholder: "NAMESPACE",
  }),
  "leader-election-lease-duration": flag.duration({
    usage: "how long a candidate waits for the leader's next renewal",
    default: "15s",
  }),
  "leader-election-renew-deadline": flag.duration({
    usage: "how long a leader continues without a renewal",
    default: "5s",
  }),
  "leader-election-retry-period": flag.duration({
    usage: "pause between two attempts to take or renew the lease",
    default: "2s",
  }),
  "log-format": flag.string({
    usage: "format of the log lines on stderr",
    default: "text",
    choices: logFormats,
  }),
  "log-level": flag.string({ usage: "lowest level to log", default: "info", choices: logLevels }),
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const; // const: each flag keeps its own kind

export const operatorCommands = [
  { name: "serve", summary: "install the CRDs, keep the PodInfo objects, and continue until SIGTERM" },
  { name: "completion", summary: "print a completion script for bash, zsh or fish" },
];

export const operatorHelp: CommandHelp = {
  program: "tetragon-operator",
  summary:
    "Installs and upgrades the CustomResourceDefinitions of Tetragon, and keeps a PodInfo object for each pod. " +
    "Without a command it installs the CRDs once and ends. Each flag can be set by a variable, too: " +
    "TETRAGON_OPERATOR_LOG_LEVEL is --log-level.",
  usage: ["tetragon-operator [flags]", "tetragon-operator serve [flags]"],
  commands: operatorCommands,
  examples: [
    "tetragon-operator serve --config-dir /etc/tetragon/operator.conf.d --metrics-bind-address :2113",
    "tetragon-operator --kube-config ~/.kube/config --skip-pod-info-crd",
  ],
  flags: operatorFlags,
  exitCodes: [
    { code: 0, meaning: "the CRDs are installed; with serve: ended by SIGTERM or SIGINT" },
    {
      code: 1,
      meaning: "the operator failed to start, or to install the CRDs; standard error has the reason",
    },
    { code: 130, meaning: "ended by a second SIGTERM or SIGINT" },
  ],
};
