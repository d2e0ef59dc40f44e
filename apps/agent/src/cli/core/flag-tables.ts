// SPDX-License-Identifier: Apache-2.0
// The agent's command line.

import { flag } from "@rthooks/flags";
import { logFormats, logLevels } from "@rthooks/log";

const defaultServerAddress = "unix:///var/run/tetragon/tetragon.sock";

const generalFlags = {
  help: flag.boolean({ usage: "show this help", short: "h" }),
  version: flag.boolean({ usage: "print the version" }),
} as const; // const: each flag keeps its own kind

export const agentFlags = {
  "server-address": flag.list({
    usage: "where to listen: unix:///path or host:port; several, with commas or repeated",
    default: [defaultServerAddress],
    placeholder: "ADDRESS",
  }),
  "server-tcp-allow-changes": flag.boolean({
    usage: "serve calls that change something on TCP too, without authentication (unix sockets always do)",
  }),
  "info-file": flag.string({
    usage: "file that tells clients such as `tetra` the first address; empty for none",
    default: "/var/run/tetragon/tetragon-info.json",
    placeholder: "FILE",
  }),
  "pods-file": flag.string({
    usage: "pods and their labels from `kubectl get pods -A -o json` (or yaml); read again when it changes",
    placeholder: "FILE",
  }),
  "enable-k8s-api": flag.boolean({ usage: "learn of this node's pods from the API server" }),
  "k8s-kubeconfig-path": flag.string({
    usage: "kubeconfig of the API server (default: that of the pod this program runs in)",
    placeholder: "FILE",
  }),
  "node-name": flag.string({
    usage: "name of this node in the cluster (default: NODE_NAME of the environment)",
    placeholder: "NAME",
  }),
  "pod-wait": flag.duration({
    usage: "how long a container waits for the API server to tell of its pod",
    default: "2s",
  }),
  "enable-cri": flag.boolean({
    usage: "ask the container runtime for the containers that run already, and for their pods' labels",
  }),
  "cri-endpoint": flag.string({
    usage: "the runtime's socket, as unix:///path (default: that of containerd, CRI-O or cri-dockerd)",
    placeholder: "ADDRESS",
  }),
  "cgroup-root": flag.string({
    usage: "root of the cgroup hierarchy that gives the ids (found when not given)",
    placeholder: "DIR",
  }),
  procfs: flag.string({ usage: "the host's proc file system", default: "/proc", placeholder: "DIR" }),
  "enable-policy-filter": flag.boolean({
    usage: "keep the cgroups of containers in the kernel's maps, for policies that name pods",
  }),
  "enable-policy-filter-cgroup-map": flag.boolean({
    usage: "keep a map with the policies of each cgroup too, for `tetra policyfilter`",
  }),
  "bpf-dir": flag.string({
    usage: "where the maps are pinned: a name below /sys/fs/bpf, or a path on another bpf file system",
    default: "tetragon",
    placeholder: "DIR",
  }),
  "namespace-filters": flag.string({
    usage: "policy filters that the policies of one namespace may have, of 127",
    default: "16",
    placeholder: "NUMBER",
  }),
  "cluster-filters": flag.string({
    usage: "policy filters that only policies of no namespace may have, of 127",
    default: "32",
    placeholder: "NUMBER",
  }),
  "tracing-policy": flag.string({
    usage: "file with a TracingPolicy, read again when it changes",
    placeholder: "FILE",
  }),
  "tracing-policy-dir": flag.string({
    usage: "directory with more of them (.yaml, .yml, .json), looked at again and again",
    default: "/etc/tetragon/tetragon.tp.d",
    placeholder: "DIR",
  }),
  "enable-tracing-policy-crd": flag.boolean({
    usage: "follow TracingPolicy and TracingPolicyNamespaced objects of the API server too",
  }),
  "persist-grpc-policies": flag.boolean({
    usage: "keep policies that come by calls for the agent's next life",
  }),
  "persist-dir": flag.string({
    usage: "where they are kept",
    default: "/var/lib/tetragon/policies",
    placeholder: "DIR",
  }),
  "metrics-server": flag.string({
    usage: "where to serve metrics in Prometheus' text form: host:port or unix:///path (default: nowhere)",
    placeholder: "ADDRESS",
  }),
  "sweep-interval": flag.duration({
    usage: "how often to look for containers whose cgroup is gone",
    default: "5s",
  }),
  "failure-retention": flag.duration({
    usage: "how long to remember a container that was refused",
    default: "5m",
  }),
  "drain-timeout": flag.duration({
    usage: "how long to wait for running calls after SIGTERM or SIGINT",
    default: "10s",
  }),
  "log-format": flag.string({
    usage: "form of the log lines on stderr",
    default: "text",
    choices: logFormats,
  }),
  "log-level": flag.string({ usage: "least important lines to log", default: "info", choices: logLevels }),
  ...generalFlags,
} as const; // const: each flag keeps its own kind

export const statusFlags = {
  "server-address": flag.list({
    usage: "address of the agent; the first that answers is asked",
    default: [defaultServerAddress],
    placeholder: "ADDRESS",
  }),
  output: flag.string({
    usage: "form of the answer",
    default: "text",
    choices: ["text", "json"],
    short: "o",
  }),
  timeout: flag.duration({ usage: "how long to wait for the agent", default: "5s" }),
  help: generalFlags.help,
} as const; // const: each flag keeps its own kind

export const plainFlags = { help: generalFlags.help } as const; // const: each flag keeps its own kind

export const commands = [
  { name: "status", summary: "show the containers that the running agent knows" },
  { name: "policies", summary: "show the tracing policies that the running agent has" },
  { name: "version", summary: "print the version" },
  { name: "completion", summary: "print a completion script for bash, zsh or fish" },
] as const; // const: the names are a union
