// SPDX-License-Identifier: Apache-2.0
// Reads explanations and the overview from the program (../../core/answer-facts.ts answers).

import type { Explanation, NodeOverview } from "@rthooks/explain";

export type Read<Value> =
  | { readonly kind: "read"; readonly value: Value }
  /** The program has none. */
  | { readonly kind: "none" }
  /** `message`: one line. */
  | { readonly kind: "failed"; readonly message: string };

// The casts: program and page are of the same build, and the program checks what it takes from outside.
export const readOverview = async (): Promise<Read<NodeOverview>> =>
  (await readJson("/api/overview")) as Read<NodeOverview>;

export const readExplanation = async (containerId: string): Promise<Read<Explanation>> =>
  (await readJson(`/api/explain?container=${encodeURIComponent(containerId)}`)) as Read<Explanation>;

async function readJson(path: string): Promise<Read<unknown>> {
  try {
    const response = await fetch(path);
    if (response.status === 404) return { kind: "none" };
    if (!response.ok) return { kind: "failed", message: (await response.text()).trim() };
    return { kind: "read", value: await response.json() };
  } catch {
    return { kind: "failed", message: "the program does not answer" };
  }
}
