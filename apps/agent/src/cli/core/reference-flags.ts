// SPDX-License-Identifier: Apache-2.0
// The flags of Tetragon's agent (1.7, pkg/option/flags.go), and what they mean to this one. docs/reference/tetragon-flags.md
// is written from this list, and the program warns by it.

import type { ForeignFlag } from "@rthooks/config";
import { type Flag, flag } from "@rthooks/flags";

export interface ReferenceFlag {
  readonly name: string;
  /** A switch needs no value on the command line. */
  readonly isSwitch: boolean;
  /** Tetragon's, as it would be typed; a switch is off by default where this is empty. */
  readonly default: string;
  /** `same`, `other`: this agent has it, with another default, or other values. `absent`: it is accepted and reported. */
  readonly status: "same" | "other" | "absent";
  /** What it means here; empty for `same`. */
  readonly here: string;
  /** The flag of this agent that takes the value. */
  readonly takenBy?: string;
}

type Rest = Pick<ReferenceFlag, "status" | "here"> & Partial<Pick<ReferenceFlag, "takenBy">>;

const value = (name: string, byDefault: string, rest: Rest): ReferenceFlag => ({
  name,
  isSwitch: false,
  default: byDefault,
  ...rest,
});
const onOff = (name: string, rest: Rest, byDefault = ""): ReferenceFlag => ({
  name,
  isSwitch: true,
  default: byDefault,
  ...rest,
});
const same: Rest = { status: "same", here: "" };
const other = (here: string): Rest => ({ status: "other", here });
const absent = (here: string): Rest => ({ status: "absent", here });

const noCredentials = "events have neither the credentials nor the namespaces of processes";
const noAncestors = "events have the parent of a process, and no further ancestors";
const noVariables = "events have no environment variables";
const ownRings = "the agent's own ring buffers have a fixed size";
const anyContainer = "cgroups are always followed to their container, by the cgroups above them";
const boundedCache = "the cache of processes is bounded in bytes, and each container has its share";
const noSuchMap = "the agent's programs have no such map";
const noProfiler = "Go's profiler and debugger do not exist here: the runtime is Bun";
const noPrograms = "the agent tries which programs the kernel takes, whatever its version is";

/** In the order of Tetragon's code. */
export const referenceFlags: readonly ReferenceFlag[] = [
  value(
    "config-dir",
    "",
    other("drop-ins in /etc/tetragon/tetragon.conf.d are read only when it names them"),
  ),
  onOff("debug", same),
  value("bpf-lib", "/var/lib/tetragon/", absent("the BPF programs are part of the agent's binary")),
  value("btf", "", absent("the types of the running kernel are used, /sys/kernel/btf/vmlinux")),
  value("cluster-name", "", same),
  value("procfs", "/proc/", other("the default is /proc, which is the same")),
  value("kernel", "", absent(noPrograms)),
  value("verbose", "0", absent("the verifier's log is asked for when the kernel refuses a program")),
  value("process-cache-size", "65536", absent(boundedCache)),
  onOff(
    "disable-process-cache",
    absent("the cache of processes is needed: events have the parent of a process"),
  ),
  value("data-cache-size", "1024", absent("there are no data events")),
  value("deleted-pod-cache-size", "1024", absent("a container keeps its pod until its cgroup is gone")),
  value("process-cache-gc-interval", "30s", absent(boundedCache)),
  onOff("force-small-progs", absent(noPrograms)),
  onOff("force-large-progs", absent(noPrograms)),
  value("export-filename", "", same),
  value("export-file-max-size-mb", "10", same),
  value("export-file-rotation-interval", "0s", same),
  value("export-file-max-backups", "5", same),
  onOff("export-file-compress", same),
  value("export-file-perm", "600", same),
  value("export-rate-limit", "-1", same),
  value("log-level", "info", other("debug, info, warn and error; another level is an error")),
  value("log-format", "text", same),
  value("log-file", "", absent("the log goes to standard error")),
  onOff("enable-k8s-api", same),
  value("k8s-kubeconfig-path", "", same),
  value("k8s-controlplane-retry", "1", absent("the agent serves meanwhile, and tries again without end")),
  value("metrics-server", "", same),
  onOff("enable-event-metrics", absent("events are counted by their type"), "true"),
  value("metrics-label-filter", "namespace,workload,pod,binary", absent("no metric has these labels")),
  value(
    "server-address",
    "localhost:54321",
    other("takes several addresses; the default is the unix socket, and empty is an error"),
  ),
  value("gops-address", "", absent(noProfiler)),
  onOff("enable-process-cred", absent(noCredentials)),
  onOff("enable-process-ns", absent(noCredentials)),
  value("event-queue-size", "10000", absent("each client has a queue of 8 MiB")),
  onOff("enable-pod-annotations", absent("events have labels of pods, and no annotations")),
  value("enable-ancestors", "", absent(noAncestors)),
  onOff("enable-process-environment-variables", absent(noVariables)),
  value("filter-environment-variables", "", absent(noVariables)),
  value("tracing-policy", "", same),
  value("tracing-policy-dir", "/etc/tetragon/tetragon.tp.d", same),
  value("cpuprofile", "", absent(noProfiler)),
  value("memprofile", "", absent(noProfiler)),
  value("pprof-address", "", absent(noProfiler)),
  onOff("enable-export-aggregation", other("accepted without effect: events are not aggregated")),
  value("export-aggregation-window-size", "15s", other("accepted without effect")),
  value("export-aggregation-buffer-size", "10000", other("accepted without effect")),
  value("export-allowlist", "", same),
  value("export-denylist", "", same),
  value("field-filters", "", same),
  value("redaction-filters", "", absent("nothing is redacted: --field-filters can leave whole fields out")),
  value("netns-dir", "/var/run/docker/netns/", absent("network namespaces are not read")),
  onOff("disable-kprobe-multi", absent("kprobes are attached one by one")),
  onOff("use-perf-ring-buffer", absent(ownRings)),
  value("rb-size-total", "0", absent(ownRings)),
  value("rb-size", "0", absent(ownRings)),
  onOff(
    "release-pinned-bpf",
    absent("maps of an earlier agent are checked and kept, so no container leaves a policy"),
    "true",
  ),
  onOff("enable-policy-filter", same),
  onOff("enable-policy-filter-cgroup-map", same),
  onOff("enable-policy-filter-debug", absent("the agent does not have these messages")),
  onOff("enable-pid-set-filter", absent("pid_set filters are always served")),
  onOff("enable-msg-handling-latency", absent("the agent does not have this metric")),
  value("rb-queue-size", "65535", absent(ownRings)),
  onOff("enable-pod-info", absent("the agent reads pods themselves, and no PodInfo objects")),
  onOff("enable-tracing-policy-crd", other("off by default, and needs --enable-k8s-api"), "true"),
  onOff("expose-stack-addresses", absent("events have no stack traces")),
  onOff("generate-docs", absent("--help and docs/reference have the flags")),
  value("username-metadata", "disabled", absent("events have user ids, and no names")),
  value("cgroup-rate", "", absent("events of a cgroup are not limited: those without room are counted")),
  value("health-server-address", ":6789", other("none by default")),
  value("health-server-interval", "10", other("also takes a duration")),
  value("bpf-dir", "tetragon", same),
  onOff("keep-sensors-on-exit", same),
  onOff("persist-grpc-policies", same),
  value("persist-grpc-policies-dir", "/var/run/tetragon/grpc-policies", {
    ...absent("it is --persist-dir here"),
    takenBy: "persist-dir",
  }),
  onOff("enable-cri", same),
  value("cri-endpoint", "", same),
  onOff("enable-cgidmap", absent(anyContainer)),
  onOff("enable-cgidmap-debug", absent("the agent does not have these messages")),
  onOff("enable-cgtrackerid", absent(anyContainer), "true"),
  value(
    "event-cache-retries",
    "15",
    absent("an event has the pod that is known at once: the hook has reported it"),
  ),
  value(
    "event-cache-retry-delay",
    "2",
    absent("an event has the pod that is known at once: the hook has reported it"),
  ),
  value("execve-map-entries", "0", absent(noSuchMap)),
  value("execve-map-size", "", absent(noSuchMap)),
  onOff("parents-map-enabled", absent(noSuchMap)),
  value("parents-map-entries", "0", absent(noSuchMap)),
  value("parents-map-size", "", absent(noSuchMap)),
  value("retprobes-cache-size", "4096", absent(noSuchMap)),
  value("sleepable-preload-size", "32768", absent(noSuchMap)),
  onOff("enable-deprecated-tracingpolicy-grpc", absent("the deprecated calls are always served")),
  value(
    "server-tls-cert-file",
    "",
    other("the file must be there when the agent starts; TLS 1.2 or later, Tetragon's 1.3"),
  ),
  value("server-tls-key-file", "", same),
  value("server-tls-client-ca-files", "", same),
  onOff("server-tls-require-client-cert", same),
];

/** What the command line, files and variables may give without being flags of this agent. */
export const foreignFlags: readonly ForeignFlag[] = referenceFlags.flatMap((one) =>
  one.status === "absent" ? [{ ...one, value: toFlag(one) }] : [],
);

function toFlag({ isSwitch, default: byDefault, here }: ReferenceFlag): Flag {
  return isSwitch
    ? flag.boolean({ usage: here, default: byDefault === "true" })
    : flag.string({ usage: here, default: byDefault });
}
