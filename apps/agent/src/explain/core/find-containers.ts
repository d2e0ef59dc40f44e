// SPDX-License-Identifier: Apache-2.0
// Which containers a user means: by a container id or its beginning, or by namespace, pod and container.

import { type ContainerQuery, MIN_ID_LENGTH, type QueryProblem, quoteQuery } from "@rthooks/explain";
import { findNearestNames } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";

export interface FoundContainer {
  readonly containerId: string;
  /** Names are empty where they are not known. */
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** It has ended, or was refused or denied. */
  readonly hasEnded: boolean;
}

const MAX_LISTED = 5;

/**
 * At least one container. Ended containers count only where no other one has the names; of several with the same names the
 * newest counts. `containers`: the newest last. The error names what there is.
 */
export function findContainers(
  query: ContainerQuery,
  containers: readonly FoundContainer[],
): Result<readonly FoundContainer[], QueryProblem> {
  return query.kind === "id" ? findById(query.id, containers) : findByName(query, containers);
}

function findById(
  id: string,
  containers: readonly FoundContainer[],
): Result<readonly FoundContainer[], QueryProblem> {
  const exact = containers.find(({ containerId }) => containerId === id);
  if (exact !== undefined) return ok([exact]);
  if (id.length < MIN_ID_LENGTH) {
    return refuse(
      "invalid",
      `${quoteQuery(id)} is too short: give at least ${MIN_ID_LENGTH} characters of the container id`,
    );
  }
  const found = containers.filter(({ containerId }) => containerId.startsWith(id));
  if (found.length === 1) return ok(found);
  if (found.length > 1) {
    return refuse(
      "ambiguous",
      `${found.length} containers have an id that begins with ${quoteQuery(id)}: ${list(found.map(render))}`,
    );
  }
  const similar = containers.filter(({ containerId }) => containerId.startsWith(id.slice(0, MIN_ID_LENGTH)));
  return refuse(
    "not-found",
    `no container has an id that begins with ${quoteQuery(id)}${suggest(similar.map(render))}`,
  );
}

function findByName(
  { namespace, pod, container }: Extract<ContainerQuery, { kind: "pod" }>,
  containers: readonly FoundContainer[],
): Result<readonly FoundContainer[], QueryProblem> {
  const ofPod = containers.filter((one) => one.namespace === namespace && one.pod === pod);
  const found = ofPod.filter((one) => container === undefined || one.container === container);
  if (found.length > 0) return ok(dropOlder(found));
  const wanted = `${namespace}/${pod}${container === undefined ? "" : `/${container}`}`;
  if (ofPod.length > 0) {
    const names = ofPod.map((one) => `${namespace}/${pod}/${one.container}`);
    return refuse(
      "not-found",
      `the pod has no container of this name on record: ${quoteQuery(wanted)}${suggest(names)}`,
    );
  }
  return refuse(
    "not-found",
    `no container of ${quoteQuery(wanted)} is on record${suggest(findSimilarPods(namespace, pod, containers))}`,
  );
}

/** Those on record, and the newest ended one of each name that none on record has. */
function dropOlder(found: readonly FoundContainer[]): readonly FoundContainer[] {
  const living = found.filter(({ hasEnded }) => !hasEnded);
  const names = new Set(living.map(({ container }) => container));
  const ended = new Map<string, FoundContainer>();
  for (const one of found) if (one.hasEnded && !names.has(one.container)) ended.set(one.container, one);
  return [...living, ...ended.values()];
}

/** Pods of the same name in other namespaces, then those whose name contains the wanted one, then those that resemble it. */
function findSimilarPods(
  namespace: string,
  pod: string,
  containers: readonly FoundContainer[],
): readonly string[] {
  const known = [
    ...new Set(containers.filter((one) => one.pod !== "").map((one) => `${one.namespace}/${one.pod}`)),
  ];
  const elsewhere = known.filter((name) => name.endsWith(`/${pod}`));
  if (elsewhere.length > 0) return elsewhere;
  const inNamespace = known.filter((name) => name.startsWith(`${namespace}/`));
  const longer = (inNamespace.length > 0 ? inNamespace : known).filter(
    (name) => pod !== "" && name.includes(pod),
  );
  if (longer.length > 0) return longer;
  return findNearestNames(`${namespace}/${pod}`, known);
}

const refuse = (kind: QueryProblem["kind"], message: string): Result<never, QueryProblem> =>
  err({ kind, message });

const render = ({ containerId, namespace, pod, container }: FoundContainer): string =>
  pod === "" ? containerId : `${containerId.slice(0, 12)} (${namespace}/${pod}/${container})`;

const suggest = (names: readonly string[]): string =>
  names.length === 0 ? "; tetragon status lists those on record" : `; there is ${list([...new Set(names)])}`;

const list = (names: readonly string[]): string =>
  names.length <= MAX_LISTED
    ? names.join(", ")
    : `${names.slice(0, MAX_LISTED).join(", ")} and ${names.length - MAX_LISTED} more`;
