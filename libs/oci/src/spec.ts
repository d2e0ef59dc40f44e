// SPDX-License-Identifier: Apache-2.0
// The parts of an OCI runtime configuration (config.json) and of an OCI state that identify a container.
// Source: opencontainers/runtime-spec, config.md, config-linux.md, runtime.md ("State").

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";

export type Annotations = ReadonlyMap<string, string>;

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface ContainerSpec {
  readonly annotations: Annotations;
  /** `root.path` as written: absolute, or relative to the bundle. */
  readonly rootPath: string | undefined;
  /** `linux.cgroupsPath` as written. */
  readonly cgroupsPath: string | undefined;
  readonly mounts: readonly Mount[];
}

/** The OCI state on a hook's standard input. Missing and invalid fields are `undefined`. */
export interface OciState {
  readonly id: string | undefined;
  /** On the host, at the stages that run in the host's namespaces. */
  readonly pid: number | undefined;
  readonly bundle: string | undefined;
  readonly annotations: Annotations;
}

export type SpecError =
  | { readonly kind: "not-json" }
  | { readonly kind: "invalid"; readonly path: string; readonly reason: string }
  | { readonly kind: "no-linux" };

/** A Map, since the keys come from outside and an object has inherited names. */
const annotations = v.pipe(
  v.custom<Readonly<Record<string, unknown>>>(
    (input) => typeof input === "object" && input !== null && !Array.isArray(input),
    "expected an object",
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const entries = new Map<string, string>();
    for (const key of Object.keys(dataset.value)) {
      const value = dataset.value[key];
      if (typeof value !== "string") {
        addIssue({ message: `the value of ${JSON.stringify(key)} is not a string` });
        return NEVER;
      }
      entries.set(key, value);
    }
    return entries;
  }),
);

const text = v.optional(v.nullable(v.string()));

/**
 * One loop instead of nested schemas: a container has dozens of mounts and options, and functions called that often are
 * compiled, which takes the hook longer than the rest of the spec.
 */
const mounts = v.pipe(
  v.custom<readonly unknown[]>(Array.isArray, "expected a list"),
  v.rawTransform(({ dataset, addIssue, NEVER }): readonly Mount[] => {
    const list: Mount[] = [];
    for (const entry of dataset.value) {
      const { destination, type, source, options }: Readonly<Record<string, unknown>> = Object(entry);
      const listed: readonly unknown[] = Array.isArray(options) ? options : [];
      const texts: string[] = [];
      for (const option of listed) if (typeof option === "string") texts.push(option);
      if (
        typeof destination !== "string" ||
        typeof (type ?? "") !== "string" ||
        typeof (source ?? "") !== "string" ||
        texts.length !== listed.length ||
        !Array.isArray(options ?? [])
      ) {
        addIssue({ message: `element ${list.length} is not a mount` });
        return NEVER;
      }
      list.push({
        destination,
        type: typeof type === "string" ? type : "",
        source: typeof source === "string" ? source : "",
        options: texts,
      });
    }
    return list;
  }),
);

const spec = v.object({
  annotations: v.optional(v.nullable(annotations)),
  root: v.optional(v.nullable(v.object({ path: text }))),
  mounts: v.optional(v.nullable(mounts)),
  linux: v.optional(v.nullable(v.object({ cgroupsPath: text }))),
});

export function parseSpec(bytes: Uint8Array): Result<ContainerSpec, SpecError> {
  const json = parseJson(bytes);
  if (!json.ok) return json;
  const parsed = v.safeParse(spec, json.value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err({ kind: "invalid", path: v.getDotPath(issue) ?? "", reason: issue.message });
  }
  const { output } = parsed;
  if (output.linux === undefined || output.linux === null) return err({ kind: "no-linux" });
  return ok({
    annotations: output.annotations ?? new Map<string, string>(),
    rootPath: output.root?.path ?? undefined,
    cgroupsPath: output.linux.cgroupsPath ?? undefined,
    mounts: output.mounts ?? [],
  });
}

/** `undefined` for anything that is not a JSON object. */
export function parseState(bytes: Uint8Array): OciState | undefined {
  const json = parseJson(bytes);
  if (!json.ok) return undefined;
  if (typeof json.value !== "object" || json.value === null) return undefined;
  const { id, pid, bundle, annotations: found }: Readonly<Record<string, unknown>> = { ...json.value };
  const entries = new Map<string, string>();
  const record: Readonly<Record<string, unknown>> = Object(found);
  for (const key of Object.keys(record)) {
    const value = record[key];
    if (typeof value === "string") entries.set(key, value);
  }
  return {
    id: typeof id === "string" && id !== "" ? id : undefined,
    pid: typeof pid === "number" && Number.isSafeInteger(pid) && pid > 0 ? pid : undefined,
    bundle: typeof bundle === "string" && bundle !== "" ? bundle : undefined,
    annotations: entries,
  };
}

/** "annotations: the value of "a" is not a string" */
export function renderSpecError(error: SpecError): string {
  switch (error.kind) {
    case "not-json":
      return "not valid JSON";
    case "no-linux":
      return "the linux section is missing";
    case "invalid":
      return error.path === "" ? error.reason : `${error.path}: ${error.reason}`;
  }
}

function parseJson(bytes: Uint8Array): Result<unknown, { kind: "not-json" }> {
  try {
    return ok(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return err({ kind: "not-json" });
  }
}
