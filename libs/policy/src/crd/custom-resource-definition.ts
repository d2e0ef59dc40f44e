// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinitions of the group cilium.io, with the names of Tetragon.

import type { OpenApiSchema } from "./open-api-schema.ts";

/** What Tetragon's programs compare before they change a CRD. */
export const SCHEMA_VERSION_LABEL = "cilium.io.k8s.crd.schema.version";

/**
 * Of Tetragon's CRDs that these are compatible with. Increase the last number with each change of a schema here that is not
 * theirs: a CRD in a cluster is replaced only by one of a higher version.
 */
export const SCHEMA_VERSION = "1.8.13";

export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly scope: "Cluster" | "Namespaced";
    readonly names: CrdNames & { readonly listKind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: true;
      readonly storage: true;
      readonly schema: { readonly openAPIV3Schema: OpenApiSchema };
    }[];
  };
}

interface CrdNames {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories?: readonly string[];
}

export interface CrdParts {
  readonly names: CrdNames;
  readonly scope: "Cluster" | "Namespaced";
  /** One sentence. */
  readonly description: string;
  /** Beside apiVersion, kind and metadata. */
  readonly properties: Readonly<Record<string, OpenApiSchema>>;
  readonly required?: readonly string[];
}

const GROUP = "cilium.io";

export function toCustomResourceDefinition(parts: CrdParts): CustomResourceDefinition {
  const { names, scope, description, properties, required } = parts;
  const openAPIV3Schema: OpenApiSchema = {
    ...{ type: "object", description },
    ...(required === undefined ? {} : { required }),
    properties: {
      apiVersion: { type: "string", description: "Version of the schema: cilium.io/v1alpha1." },
      kind: { type: "string", description: `Kind of the object: ${names.kind}.` },
      metadata: { type: "object" },
      ...properties,
    },
  };
  return {
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    metadata: {
      name: `${names.plural}.${GROUP}`,
      labels: { [SCHEMA_VERSION_LABEL]: SCHEMA_VERSION },
    },
    spec: {
      ...{ group: GROUP, scope, names: { ...names, listKind: `${names.kind}List` } },
      versions: [{ name: "v1alpha1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
