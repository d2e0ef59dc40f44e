// SPDX-License-Identifier: Apache-2.0
// The names that a completion script asks for.

import { isCompletable } from "@rthooks/flags/help";
import type { ContainerRecord } from "../../containers/core/container-record.ts";

/** What flags and commands name in `names`. */
type NameKind = "namespace" | "pod" | "container" | "state";

/** `container`: NAMESPACE/POD and NAMESPACE/POD/CONTAINER. */
const toNames: Readonly<Record<NameKind, (container: ContainerRecord) => readonly string[]>> = {
  namespace: ({ podNamespace }) => [podNamespace],
  pod: ({ podName }) => [podName],
  container: ({ podNamespace, podName, name }) => [
    `${podNamespace}/${podName}`,
    `${podNamespace}/${podName}/${name}`,
  ],
  state: () => [],
};

/** To which containers can change. */
const states = ["waiting", "released", "failed", "gone"];

const maxNames = 1000;

/** Sorted, each once, without those that a shell might expand. `prefix`: what is typed already. */
export function completeNames(
  kind: string,
  prefix: string,
  containers: readonly ContainerRecord[],
): readonly string[] {
  if (kind === "state") return states.filter((name) => name.startsWith(prefix));
  if (!isNameKind(kind)) return [];
  const names = new Set(containers.flatMap(toNames[kind]));
  return [...names]
    .filter((name) => name.startsWith(prefix) && isCompletable(name))
    .toSorted()
    .slice(0, maxNames);
}

const isNameKind = (kind: string): kind is NameKind => Object.hasOwn(toNames, kind);
