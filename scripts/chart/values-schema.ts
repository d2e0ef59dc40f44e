// SPDX-License-Identifier: Apache-2.0
// What the values of the chart may be.

import { agentFlags } from "../../apps/agent/src/cli/core/flag-tables.ts";
import { referenceFlags } from "../../apps/agent/src/cli/core/reference-flags.ts";
import { hookFlags } from "../../libs/hold/src/core/hook-flags.ts";
import {
  closed,
  duration,
  flags,
  integer,
  list,
  matching,
  namespaces,
  object,
  objectName,
  objects,
  oneOf,
  orNull,
  path,
  port,
  type Schema,
  text,
  textMap,
  truth,
} from "./schema.ts";

const image = (more: Readonly<Record<string, Schema>> = {}): Schema =>
  closed({ override: orNull(text), repository: text, tag: text, ...more });

const pullPolicy = oneOf("Always", "IfNotPresent", "Never");

const serviceAccount = closed({ create: truth, annotations: textMap, name: objectName });

const serviceMonitor = closed({
  enabled: truth,
  labelsOverride: textMap,
  extraLabels: textMap,
  scrapeInterval: duration,
});

/** Not for users: what ends a program at once, or what the chart sets itself and a second value would contradict. */
const ownFlags = ["help", "version", "config-dir", "just-print-config"];
const isForUsers = (flag: string): boolean => !ownFlags.includes(flag);

const agent = closed({
  ...{ enabled: truth, nameOverride: objectName, image: image(), resources: object, extraEnv: objects },
  extraArgs: flags(
    [...new Set([...Object.keys(agentFlags), ...referenceFlags.map((one) => one.name)])].filter(isForUsers),
  ),
  ...{ extraVolumeMounts: objects, securityContext: object, livenessProbe: object, debug: truth },
  exportFilename: matching("^[^/]*$"),
  exportFilePerm: matching("^0?[0-7]{3}$"),
  ...{ exportFileMaxSizeMB: integer(1), exportFileMaxBackups: integer(0), exportFileCompress: truth },
  ...{ exportRateLimit: integer(-1), exportAllowList: text, exportDenyList: text, fieldFilters: text },
  ...{ clusterName: text, enableK8sAPI: truth, enablePolicyFilter: truth },
  ...{ enablePolicyFilterCgroupMap: truth, enableKeepSensorsOnExit: truth },
  bpfDir: matching("^[A-Za-z0-9._-]+$"),
  ...{ hostProcPath: path, commandOverride: list, argsOverride: list },
  prometheus: closed({ enabled: truth, address: text, port, serviceMonitor }),
  grpc: closed({
    enabled: truth,
    address: matching("^\\S(.*\\S)?$"),
    tls: closed({
      enabled: truth,
      requireClientCert: truth,
      server: closed({ existingSecret: text }),
    }),
  }),
  healthGrpc: closed({ enabled: truth, port, interval: integer(1) }),
  cri: closed({ enabled: truth, socketHostPath: { anyOf: [path, { const: "" }] } }),
});

const operator = closed({
  ...{ enabled: truth, nameOverride: objectName, replicas: integer(0) },
  failoverLease: closed({
    enabled: truth,
    namespace: objectName,
    leaseDuration: duration,
    leaseRenewDeadline: duration,
    leaseRetryPeriod: duration,
  }),
  ...{ annotations: textMap, podAnnotations: textMap, extraLabels: textMap, extraPodLabels: textMap },
  ...{ priorityClassName: text, serviceAccount, hostUsers: truth },
  ...{ podSecurityContext: object, containerSecurityContext: object, resources: object, strategy: object },
  ...{ nodeSelector: textMap, tolerations: objects, affinity: object },
  image: image({ pullPolicy }),
  ...{ extraVolumes: objects, extraVolumeMounts: objects, forceUpdateCRDs: truth },
  ...{ podInfo: closed({ enabled: truth }), tracingPolicy: closed({ enabled: truth }) },
  prometheus: closed({ enabled: truth, address: text, port, serviceMonitor }),
});

const rthooks = closed({
  ...{ enabled: truth, nameOverride: objectName },
  // Empty without `enabled`; the template says what to set.
  interface: oneOf("", "oci-hooks", "nri-hook"),
  mode: oneOf("inject", "direct", "auto"),
  ...{ annotations: textMap, extraLabels: textMap, podAnnotations: textMap, extraPodLabels: textMap },
  ...{
    priorityClassName: text,
    podSecurityContext: object,
    affinity: orNull(object),
    updateStrategy: object,
  },
  installDir: path,
  failAllowNamespaces: namespaces,
  failAllowNamespacesRegex: { type: "array", items: { type: "string", minLength: 1 } },
  extraHookArgs: flags(Object.keys(hookFlags).filter(isForUsers)),
  ...{ libc: oneOf("auto", "host", "bundled"), mountHostRoot: truth },
  ...{
    extraVolumeMounts: objects,
    resources: object,
    ociHooks: closed({ hooksPath: path, fileName: matching("^([^/:,]+\\.json)?$") }),
  },
  nriHook: closed({
    nriSocket: path,
    name: matching("^[A-Za-z0-9_.+-]+$"),
    index: matching("^[0-9]{2}$"),
    admissionPolicy: closed({ enabled: truth }),
  }),
  prometheus: closed({ enabled: truth, port, serviceMonitor }),
  ...{ image: image(), serviceAccount, exportLogs: closed({ enabled: truth, resources: object }) },
});

const properties: Readonly<Record<string, Schema>> = {
  // Helm gives these to a chart that another chart depends on.
  global: object,
  ...{ enabled: truth, imagePullSecrets: objects, imagePullPolicy: pullPolicy, priorityClassName: text },
  ...{ serviceAccount, podAnnotations: textMap, podLabels: textMap, serviceAnnotations: textMap },
  ...{ serviceLabels: textMap, daemonSetAnnotations: textMap, podSecurityContext: object },
  ...{ nodeSelector: textMap, tolerations: objects, affinity: object, extraVolumes: objects },
  extraHostPathMounts: {
    type: "array",
    items: {
      ...closed({
        name: objectName,
        mountPath: path,
        readOnly: truth,
        mountPropagation: oneOf("None", "HostToContainer", "Bidirectional"),
      }),
      required: ["name", "mountPath"],
    },
  },
  extraConfigmapMounts: {
    type: "array",
    items: {
      ...closed({ name: objectName, mountPath: path, readOnly: truth }),
      required: ["name", "mountPath"],
    },
  },
  updateStrategy: object,
  dnsPolicy: oneOf("Default", "ClusterFirst", "ClusterFirstWithHostNet", "None"),
  ...{ exportDirectory: path, hostNetwork: truth, tetragon: agent, tetragonOperator: operator },
  export: closed({
    ...{ mode: oneOf("stdout", ""), resources: object, securityContext: object },
    filenames: { type: "array", items: text },
    stdout: closed({
      ...{ extraEnv: objects, extraEnvFrom: objects, envFromSecrets: list },
      ...{ commandOverride: list, argsOverride: list, extraVolumeMounts: objects, image: image() },
    }),
  }),
  crds: closed({ installMethod: oneOf("operator", "helm", "none") }),
  rthooks,
  monitoring: closed({
    prometheusRule: closed({ enabled: truth, extraLabels: textMap }),
    dashboard: closed({ enabled: truth, labels: textMap }),
  }),
};

export const valuesSchema: Schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Values of the chart; `make generate` writes this file",
  ...closed(properties),
};
