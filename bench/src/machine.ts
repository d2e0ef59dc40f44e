// SPDX-License-Identifier: Apache-2.0
import { cpus, release, totalmem } from "node:os";

export function describeMachine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() ?? "unknown";
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0);
  return `${model}, ${processors.length} cores, ${memoryGb} GB; Linux ${release()}; Bun ${Bun.version}`;
}
