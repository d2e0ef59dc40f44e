// SPDX-License-Identifier: Apache-2.0
// The agent's command line.

import { configFlags } from "@rthooks/config/config-flags";
import { flag } from "@rthooks/flags";
import { followFlags, followSummary } from "@rthooks/follow/flags";
import { healthFlags } from "@rthooks/grpc/health-flags";
import { serverTlsFlags } from "@rthooks/grpc/server-tls-flags";
import { inspectFlags } from "@rthooks/inspector/flags";
import { logFormats, logLevels } from "@rthooks/log";
import { DEFAULT_AGENT_ADDRESS } from "@rthooks/net";
import { outputFlag } from "@rthooks/terminal";
import { clientTlsFlags } from "./client-tls-flags.ts";
import { exportFlags } from "./export-flags.ts";

const generalFlags = {
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const; // const: each flag keeps its own kind

export const agentFlags = {
  "server-address": flag.list({
    usage: "address to listen on: unix:///path or host:port; separate several by commas, or repeat the flag",
    default: [DEFAULT_AGENT_ADDRESS],
    placeholder: "ADDRESS",
  }),
  "server-tcp-allow-changes": flag.boolean({
    usage:
      "serve calls that change state on TCP too, without authentication (unix sockets always serve them)",
  }),
  ...serverTlsFlags,
  "info-file": flag.string({
    usage: "file in which clients such as `tetra` find the first address; empty: none is written",
    default: "/var/run/tetragon/tetragon-info.json",
    placeholder: "FILE",
  }),
  "pods-file": flag.string({
    usage:
      "file with the pods, as `kubectl get pods -A -o json` (or yaml) writes it; reloaded when it changes",
    placeholder: "FILE",
  }),
  "enable-k8s-api": flag.boolean({ usage: "watch this node's pods through the Kubernetes API server" }),
  "k8s-kubeconfig-path": flag.string({
    usage: "kubeconfig for the API server (default: the service account of the agent's own pod)",
    placeholder: "FILE",
  }),
  "node-name": flag.string({
    usage: "name of this node in the cluster, and in events (default: NODE_NAME of the environment)",
    placeholder: "NAME",
  }),
  "pod-wait": flag.duration({
    usage: "how long a container waits for its pod to arrive from the API server",
    default: "2s",
  }),
  "enable-cri": flag.boolean({
    usage: "list running containers and their pods' labels from the container runtime (CRI)",
  }),
  "cri-endpoint": flag.string({
    usage: "socket of the runtime, as unix:///path (default: that of containerd, CRI-O or cri-dockerd)",
    placeholder: "ADDRESS",
  }),
  "cgroup-root": flag.string({
    usage: "root of the cgroup hierarchy that BPF programs see (default: detected)",
    placeholder: "DIR",
  }),
  procfs: flag.string({ usage: "proc file system of the host", default: "/proc", placeholder: "DIR" }),
  "enable-policy-filter": flag.boolean({
    usage:
      "enforce policies and make events, by programs and maps in the kernel; without it policies are only listed",
  }),
  "enable-policy-filter-cgroup-map": flag.boolean({
    usage: "also keep a BPF map from cgroup id to filter ids, for `tetra policyfilter`",
  }),
  "bpf-dir": flag.string({
    usage: "directory of the pinned maps: a name below /sys/fs/bpf, or a path on another bpf file system",
    default: "tetragon",
    placeholder: "DIR",
  }),
  "namespace-filters": flag.string({
    usage: "maximum number of filters for the policies of one namespace, of 127 in all",
    default: "16",
    placeholder: "NUMBER",
  }),
  "cluster-filters": flag.string({
    usage: "number of filters reserved for cluster-wide policies, of 127 in all",
    default: "32",
    placeholder: "NUMBER",
  }),
  "namespace-rules": flag.string({
    usage: "maximum number of rules (selectors of hooks) for the policies of one namespace, of 256 in all",
    default: "32",
    placeholder: "NUMBER",
  }),
  "cluster-rules": flag.string({
    usage: "number of rules reserved for cluster-wide policies, of 256 in all",
    default: "64",
    placeholder: "NUMBER",
  }),
  "keep-sensors-on-exit": flag.boolean({
    usage: "leave policies in force when the agent is stopped (after a crash they always are)",
  }),
  "tracing-policy": flag.string({
    usage: "file with a TracingPolicy, reloaded when it changes",
    placeholder: "FILE",
  }),
  "tracing-policy-dir": flag.string({
    usage: "directory of TracingPolicy files (.yaml, .yml, .json), reloaded when they change",
    default: "/etc/tetragon/tetragon.tp.d",
    placeholder: "DIR",
  }),
  "enable-tracing-policy-crd": flag.boolean({
    usage: "also load TracingPolicy and TracingPolicyNamespaced objects from the API server",
  }),
  "persist-grpc-policies": flag.boolean({
    usage: "persist policies added over gRPC across restarts",
  }),
  "persist-dir": flag.string({
    usage: "directory of the persisted policies",
    default: "/var/lib/tetragon/policies",
    placeholder: "DIR",
  }),
  ...exportFlags,
  "metrics-server": flag.string({
    usage: "address of the Prometheus metrics: host:port or unix:///path (default: none)",
    placeholder: "ADDRESS",
  }),
  ...healthFlags,
  ...inspectFlags,
  "hook-log": flag.string({
    usage:
      "log of the hook, whose invocations are shown too: as installed, /opt/tetragon/tetragon-oci-hook.log; the hook needs --log-level debug (default: none)",
    placeholder: "FILE",
  }),
  "sweep-interval": flag.duration({
    usage: "interval between checks for containers whose cgroup no longer exists",
    default: "5s",
  }),
  "failure-retention": flag.duration({
    usage: "how long a refused container stays in `tetragon status`",
    default: "5m",
  }),
  "drain-timeout": flag.duration({
    usage: "how long to wait for calls in progress after SIGTERM or SIGINT",
    default: "10s",
  }),
  "log-format": flag.string({
    usage: "format of the log lines on stderr",
    default: "text",
    choices: logFormats,
  }),
  "log-level": flag.string({ usage: "lowest level to log", default: "info", choices: logLevels }),
  debug: flag.boolean({ usage: "the same as --log-level=debug", short: "d" }),
  ...configFlags,
  ...generalFlags,
} as const; // const: each flag keeps its own kind

export const statusFlags = {
  "server-address": flag.list({
    usage: "address of the agent; of several, the first that answers is used",
    default: [DEFAULT_AGENT_ADDRESS],
    placeholder: "ADDRESS",
  }),
  output: outputFlag("table"),
  ...clientTlsFlags,
  timeout: flag.duration({ usage: "how long to wait for the agent", default: "5s" }),
  help: generalFlags.help,
} as const; // const: each flag keeps its own kind

export const explainFlags = { ...statusFlags, output: outputFlag("text") } as const; // const: each flag keeps its own kind

export const watchFlags = {
  ...statusFlags,
  namespace: flag.list({
    usage: "show only containers of these namespaces",
    short: "n",
    placeholder: "NAMES",
    names: "namespace",
  }),
  pod: flag.list({
    usage: "show only containers of the pods with these names",
    placeholder: "NAMES",
    names: "pod",
  }),
  state: flag.list({
    usage:
      "show only changes to these states: waiting, released, failed, gone, or missing for containers on record",
    placeholder: "STATES",
    names: "state",
  }),
  "changes-only": flag.boolean({ usage: "do not begin with the containers on record" }),
  timeout: flag.duration({ usage: "how long to wait for the agent's first answer", default: "5s" }),
} as const; // const: each flag keeps its own kind

export const eventsFlags = {
  "server-address": statusFlags["server-address"],
  ...clientTlsFlags,
  timeout: flag.duration({ usage: "how long to wait for the agent's first answer", default: "5s" }),
  help: generalFlags.help,
  output: flag.string({
    usage: "output format",
    default: "compact",
    choices: ["compact", "json", "yaml"],
    synonyms: ["table", "text"],
    short: "o",
  }),
  namespace: flag.list({
    usage: "show only events of pods in these namespaces",
    short: "n",
    placeholder: "NAMES",
    names: "namespace",
  }),
  "namespace-regex": flag.patternList({
    usage: "show only events of pods in namespaces that one of these regular expressions matches",
    placeholder: "PATTERN",
  }),
  host: flag.boolean({ usage: "show events of processes outside of pods (with --namespace: these too)" }),
  pod: flag.patternList({
    usage: "show only events of pods whose name one of these regular expressions matches",
    placeholder: "PATTERN",
    names: "pod",
  }),
  containers: flag.patternList({
    usage: "show only events of containers whose name one of these regular expressions matches",
    placeholder: "PATTERN",
  }),
  process: flag.patternList({
    usage: "show only events of processes whose binary one of these regular expressions matches",
    placeholder: "PATTERN",
  }),
  "policy-names": flag.list({
    usage: "show only events of these tracing policies",
    placeholder: "NAMES",
  }),
  "event-types": flag.list({
    usage:
      "show only events of these types: PROCESS_EXEC, PROCESS_EXIT, PROCESS_KPROBE, PROCESS_TRACEPOINT, PROCESS_LSM, RATE_LIMIT_INFO",
    short: "e",
    placeholder: "TYPES",
  }),
  "include-fields": flag.list({
    usage: "show only these fields: process.pod.name,parent.exec_id",
    short: "f",
    placeholder: "FIELDS",
  }),
  "exclude-fields": flag.list({ usage: "leave out these fields", short: "F", placeholder: "FIELDS" }),
  timestamps: flag.boolean({ usage: "show the time of each event in the compact form" }),
} as const; // const: each flag keeps its own kind

export const inspectCommandFlags = {
  replay: flag.string({
    usage: "recording to show: a file that --record wrote, also compressed with gzip",
    placeholder: "FILE",
  }),
  record: flag.string({
    usage: "file for a recording of a running inspector; compressed if its name ends with .gz",
    placeholder: "FILE",
  }),
  "inspect-address": flag.string({
    usage: "with --replay where the page is served, with --record where the inspector listens: host:port",
    default: "127.0.0.1:9101",
    placeholder: "ADDRESS",
  }),
  "inspect-token-file": inspectFlags["inspect-token-file"],
  duration: flag.duration({ usage: "how long to record", default: "60s" }),
  speed: flag.string({
    usage: "how fast to replay: 2 takes half of the time, 0.5 twice the time",
    default: "1",
    placeholder: "NUMBER",
  }),
  loop: flag.boolean({ usage: "start the replay again after its end" }),
  help: generalFlags.help,
} as const; // const: each flag keeps its own kind

export const followCommandFlags = { ...followFlags, help: generalFlags.help } as const; // const: each flag keeps its own kind

export const versionFlags = { output: outputFlag("text"), help: generalFlags.help } as const; // const: each flag keeps its own kind

export const plainFlags = { help: generalFlags.help } as const; // const: each flag keeps its own kind

export const commands = [
  { name: "status", summary: "show the containers on record in the running agent" },
  {
    name: "policies",
    summary: "show the tracing policies of the running agent: their states, what holds them, what they did",
  },
  {
    name: "explain",
    summary:
      "explain a container: who reported it, where its start took time, its policies and their enforcement",
    names: "container",
  },
  { name: "watch", summary: "show each change of a container as it happens" },
  {
    name: "events",
    summary: "show events: programs that start and end in pods, and what policies matched and did",
  },
  { name: "follow", summary: followSummary },
  { name: "inspect", summary: "record a running inspector, or show a recording in a browser" },
  { name: "version", summary: "print the version" },
  { name: "completion", summary: "print a completion script for bash, zsh or fish" },
] as const; // const: the names are a union
