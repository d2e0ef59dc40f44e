// SPDX-License-Identifier: Apache-2.0

import type { CelRule } from "../schema/schema-part.ts";

/**
 * A structural schema (Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions"): what this
 * project uses of JSONSchemaProps of apiextensions.k8s.io/v1.
 */
export interface OpenApiSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly default?: string | number | boolean;
  readonly format?: "int32" | "int64";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly maxItems?: number;
  readonly items?: OpenApiSchema;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: OpenApiSchema;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-validations"?: readonly CelRule[];
}
