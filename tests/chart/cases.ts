// SPDX-License-Identifier: Apache-2.0
// Values with which the chart is rendered, linted and validated.

import type { RenderOptions } from "./helm.ts";

interface Case extends RenderOptions {
  readonly name: string;
  readonly values: object;
}

const hooks = (more: object = {}): object => ({
  rthooks: { enabled: true, interface: "oci-hooks", ...more },
});
const plugin = (more: object = {}): object => ({
  rthooks: { enabled: true, interface: "nri-hook", ...more },
});

const serviceMonitor = { enabled: true, extraLabels: { release: "prometheus" } };

export const cases: readonly Case[] = [
  { name: "without values", values: {} },
  { name: "off", values: { enabled: false } },
  { name: "oci-hooks", values: hooks() },
  { name: "nri-hook", values: plugin() },
  { name: "nri-hook, direct", values: plugin({ mode: "direct" }) },
  { name: "another namespace and release", values: plugin(), release: "b", namespace: "security" },
  { name: "Kubernetes 1.27", values: plugin(), args: ["--kube-version", "1.27.0"] },
  {
    name: "everything that monitors",
    values: {
      tetragon: { prometheus: { serviceMonitor } },
      tetragonOperator: { prometheus: { serviceMonitor } },
      ...plugin({ prometheus: { enabled: true, serviceMonitor } }),
      monitoring: { prometheusRule: { enabled: true }, dashboard: { enabled: true } },
    },
  },
  {
    name: "nothing that monitors",
    values: {
      tetragon: { prometheus: { enabled: false }, healthGrpc: { enabled: false } },
      tetragonOperator: { prometheus: { enabled: false } },
    },
  },
  {
    name: "the agent alone, on TCP with client certificates",
    values: {
      tetragonOperator: { enabled: false },
      crds: { installMethod: "none" },
      export: { mode: "" },
      tetragon: {
        grpc: {
          address: "0.0.0.0:54321",
          tls: { enabled: true, requireClientCert: true, server: { existingSecret: "certs" } },
        },
      },
    },
  },
  {
    name: "operators with a lease, CRDs by Helm",
    values: {
      crds: { installMethod: "helm" },
      tetragonOperator: { replicas: 2, failoverLease: { enabled: true }, podInfo: { enabled: true } },
    },
  },
  {
    name: "the runtime, more flags and mounts",
    values: {
      nodeSelector: { "kubernetes.io/os": "linux" },
      imagePullSecrets: [{ name: "pull" }],
      extraHostPathMounts: [{ name: "extra", mountPath: "/srv/a b", readOnly: true }],
      podAnnotations: { note: "{{ not a template }}: #yes" },
      tetragon: {
        cri: { enabled: true, socketHostPath: "/run/containerd/containerd.sock" },
        extraArgs: { "pod-wait": "3s", "cluster-rules": 50_000_000, "server-tcp-allow-changes": null },
        extraEnv: [{ name: "A", value: "b: {c}" }],
      },
      export: { stdout: { envFromSecrets: ["one", { name: "two", optional: true }] } },
      ...hooks({ installDir: "/run/tetragon", libc: "host", mountHostRoot: false, affinity: {} }),
    },
  },
];
