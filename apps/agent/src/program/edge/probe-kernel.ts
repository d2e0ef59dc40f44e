// SPDX-License-Identifier: Apache-2.0

import { openBpf, probeBpf } from "@rthooks/bpf";

/** Capabilities by name, as `tetra info` shows them. */
export function probeKernel(): Readonly<Record<string, boolean>> {
  const bpf = openBpf();
  const found = bpf.ok ? Object.entries(probeBpf(bpf.value)) : [];
  return Object.fromEntries(found.map(([name, { ok }]) => [name, ok]));
}
