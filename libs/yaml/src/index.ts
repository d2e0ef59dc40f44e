// SPDX-License-Identifier: Apache-2.0
// YAML and JSON texts of any origin. Pure.

export { parseYaml } from "./parse-yaml.ts";
