// SPDX-License-Identifier: Apache-2.0
// What `helm template` makes of the chart, as far as a kubelet and the controller of DaemonSets read it.
import { join } from "node:path";
import * as v from "valibot";
import { parseAllDocuments } from "yaml";
import { runProcess } from "../../harness/process.ts";

const root = join(import.meta.dir, "..", "..", "..");

const probe = v.object({
  exec: v.optional(v.object({ command: v.array(v.string()) })),
  grpc: v.optional(v.object({ port: v.number(), service: v.optional(v.string(), "") })),
});
const env = v.object({
  name: v.string(),
  value: v.optional(v.string()),
  valueFrom: v.optional(v.object({ fieldRef: v.object({ fieldPath: v.string() }) })),
});
const container = v.object({
  name: v.string(),
  command: v.optional(v.array(v.string()), []),
  args: v.optional(v.array(v.string()), []),
  env: v.optional(v.array(env), []),
  securityContext: v.optional(
    v.object({
      privileged: v.optional(v.boolean(), false),
      runAsUser: v.optional(v.number()),
      readOnlyRootFilesystem: v.optional(v.boolean(), false),
      allowPrivilegeEscalation: v.optional(v.boolean(), true),
      capabilities: v.optional(
        v.object({ add: v.optional(v.array(v.string()), []), drop: v.optional(v.array(v.string()), []) }),
      ),
    }),
  ),
  volumeMounts: v.optional(
    v.array(
      v.object({
        name: v.string(),
        mountPath: v.string(),
        readOnly: v.optional(v.boolean(), false),
        subPath: v.optional(v.string(), ""),
        mountPropagation: v.optional(v.picklist(["None", "HostToContainer", "Bidirectional"]), "None"),
      }),
    ),
    [],
  ),
  lifecycle: v.optional(
    v.object({ preStop: v.optional(v.object({ exec: v.object({ command: v.array(v.string()) }) })) }),
  ),
  readinessProbe: v.optional(probe),
  livenessProbe: v.optional(probe),
});
/** Strict: a kind of volume that the simulation does not have must not be left out. */
const volume = v.strictObject({
  name: v.string(),
  hostPath: v.optional(v.object({ path: v.string(), type: v.optional(v.string(), "") })),
  configMap: v.optional(v.object({ name: v.string() })),
  emptyDir: v.optional(v.nullable(v.object({}))),
});
const podSpec = v.object({
  containers: v.array(container),
  hostNetwork: v.optional(v.boolean(), false),
  hostPID: v.optional(v.boolean(), false),
  terminationGracePeriodSeconds: v.optional(v.number(), 30),
  volumes: v.optional(v.array(volume), []),
});
const template = v.object({
  metadata: v.object({
    labels: v.optional(v.record(v.string(), v.string()), {}),
    annotations: v.optional(v.record(v.string(), v.string()), {}),
  }),
  spec: podSpec,
});
const daemonSet = v.object({
  kind: v.literal("DaemonSet"),
  metadata: v.looseObject({ name: v.string(), namespace: v.string() }),
  spec: v.object({
    minReadySeconds: v.optional(v.number(), 0),
    updateStrategy: v.object({
      rollingUpdate: v.optional(
        v.object({
          maxSurge: v.optional(v.union([v.number(), v.string()]), 0),
          maxUnavailable: v.optional(v.union([v.number(), v.string()]), 1),
        }),
      ),
    }),
    template,
  }),
});

type DaemonSet = v.InferOutput<typeof daemonSet>;
export type PodTemplate = v.InferOutput<typeof template>;
export type PodContainerSpec = v.InferOutput<typeof container>;
export type Volume = v.InferOutput<typeof volume>;
export type Probe = v.InferOutput<typeof probe>;

const configMap = v.object({
  kind: v.literal("ConfigMap"),
  metadata: v.object({ name: v.string() }),
  data: v.record(v.string(), v.string()),
});

export interface RenderedChart {
  readonly namespace: string;
  daemonSet(component: "tetragon" | "rthooks"): DaemonSet;
  /** The DaemonSet as the API server has it. */
  object(component: "tetragon" | "rthooks"): { readonly metadata: { readonly name: string } };
  configMap(name: string): Readonly<Record<string, string>>;
}

interface Release {
  readonly name?: string;
  readonly namespace?: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export async function renderChart({
  name = "tetragon",
  namespace = "kube-system",
  values,
}: Release): Promise<RenderedChart> {
  const { exitCode, stdout, stderr } = await runProcess(
    [
      ...[join(root, ".cache/helm/helm"), "template", name, join(root, "install/kubernetes/tetragon")],
      ...["--namespace", namespace, "--kube-version", "1.33.0", "--values", "-"],
    ],
    { stdin: JSON.stringify(values), env: { PATH: "/usr/bin:/bin", HOME: "/tmp" } },
  );
  if (exitCode !== 0) throw new Error(`helm template: ${stderr}`);
  const objects: readonly unknown[] = parseAllDocuments(stdout).map((document) => document.toJS());
  const sets = objects.flatMap((object) => {
    const found = v.safeParse(v.looseObject({ kind: v.literal("DaemonSet") }), object);
    return found.success ? [{ object: found.output, set: v.parse(daemonSet, object) }] : [];
  });
  const find = (component: string) => {
    const found = sets.find(({ set }) =>
      set.spec.template.spec.containers.some(
        (one) => one.name === (component === "rthooks" ? "tetragon-rthooks" : "tetragon"),
      ),
    );
    if (found === undefined) throw new Error(`the chart has no DaemonSet for ${component}`);
    return found;
  };
  return {
    namespace,
    daemonSet: (component) => find(component).set,
    object: (component) => ({ ...find(component).object, metadata: find(component).set.metadata }),
    configMap(wanted) {
      for (const object of objects) {
        const found = v.safeParse(configMap, object);
        if (found.success && found.output.metadata.name === wanted) return found.output.data;
      }
      throw new Error(`the chart has no ConfigMap ${wanted}`);
    },
  };
}
