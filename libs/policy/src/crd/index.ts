// SPDX-License-Identifier: Apache-2.0
// CustomResourceDefinitions, generated from the schemas by which documents are validated. Pure.

export {
  type CustomResourceDefinition,
  SCHEMA_VERSION,
  SCHEMA_VERSION_LABEL,
  toCustomResourceDefinition,
} from "./custom-resource-definition.ts";
export type { OpenApiSchema } from "./open-api-schema.ts";
export { type Descriptions, toOpenApi } from "./to-open-api.ts";
export { tracingPolicyCrd, tracingPolicyNamespacedCrd } from "./tracing-policy-crds.ts";
