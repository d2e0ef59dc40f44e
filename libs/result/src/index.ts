// SPDX-License-Identifier: Apache-2.0

export { isJsonObject, type JsonObject, parseJsonObject } from "./json-object.ts";
export { assertNever, describeError, err, ok, type Result } from "./result.ts";
