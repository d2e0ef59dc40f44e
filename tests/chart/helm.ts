// SPDX-License-Identifier: Apache-2.0
// The chart as real Helm renders it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const root = join(import.meta.dir, "..", "..");
export const chart = join(root, "install", "kubernetes", "tetragon");

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [member: string]: unknown;
}

interface HelmRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runHelm(args: readonly string[], values: unknown = {}): HelmRun {
  const helm = join(root, ".cache", "helm", "helm");
  if (!existsSync(helm)) throw new Error(`${helm} is missing: run \`make test\` or \`make chart-test\``);
  const { exitCode, stdout, stderr } = Bun.spawnSync([helm, ...args, "--values", "-"], {
    stdin: Buffer.from(JSON.stringify(values)),
    env: { HOME: "/nonexistent", PATH: "/usr/bin:/bin" },
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  /** More arguments of `helm template`. */
  readonly args?: readonly string[];
}

/** `helm template`; the error is that of Helm. */
export function tryRender(values: unknown, options: RenderOptions = {}): HelmRun {
  const { release = "tetragon", namespace = "kube-system", args = [] } = options;
  return runHelm(["template", release, chart, "--namespace", namespace, ...args], values);
}

export function renderText(values: unknown, options: RenderOptions = {}): string {
  const { exitCode, stdout, stderr } = tryRender(values, options);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

export function parseObjects(text: string): readonly KubeObject[] {
  // Helm has rendered them; every object is validated by tests.
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

export const renderObjects = (values: unknown, options: RenderOptions = {}): readonly KubeObject[] =>
  parseObjects(renderText(values, options));

export function findObject(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name} is rendered`);
  return found;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
}

export interface PodTemplate {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly volumes: readonly { readonly name: string; readonly hostPath?: HostPath }[];
    readonly [member: string]: unknown;
  };
}

interface HostPath {
  readonly path: string;
  readonly type: string;
}

/** Of a DaemonSet or a Deployment, whose form the validator has checked. */
export function podTemplate({ spec }: KubeObject): PodTemplate {
  return (spec as { template: PodTemplate }).template;
}

export function findContainer(object: KubeObject, name: string): Container {
  const found = podTemplate(object).spec.containers.find((one) => one.name === name);
  if (found === undefined) throw new Error(`${object.metadata.name} has no container ${name}`);
  return found;
}

/** The flags of the hook in the command of the rthooks container. */
export function hookArgs(values: object, options: RenderOptions = {}): readonly string[] {
  const objects = renderObjects(values, options);
  const { command } = findContainer(
    findObject(objects, "DaemonSet", `${options.release ?? "tetragon"}-rthooks`),
    "tetragon-rthooks",
  );
  return command.slice(command.indexOf("hook-args") + 1);
}
