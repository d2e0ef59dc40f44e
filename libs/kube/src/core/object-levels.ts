// SPDX-License-Identifier: Apache-2.0
// Limits on the size of API objects in memory. An object has at most 1.5 MiB in etcd and up to six times that as JSON ("<"
// is written as \u003c); raised limits of etcd and the API server allow more.

import type { Level } from "./bounded-document.ts";
import type { Keep } from "./json-filter.ts";

export interface ObjectLevels {
  /** For one object. */
  readonly object: readonly Level[];
  /** For one line of a watch. The last level keeps only the object's name. */
  readonly event: readonly Level[];
  /** For a page of up to `limit` objects: more than one are kept with all needed members, or the page does not fit. */
  page(limit: number): readonly Level[];
}

const MiB = 1024 * 1024;
const name: Keep = {
  apiVersion: true,
  kind: true,
  metadata: { name: true, namespace: true, uid: true, resourceVersion: true },
};
const NAME_BYTES = 64 * 1024;

/**
 * `kept`: the members that are kept of an object larger than 1 MiB; the next ones where these are larger than 4 MiB.
 * Empty to keep objects of up to 8 MiB whole.
 */
export function createObjectLevels(kept: readonly Keep[]): ObjectLevels {
  const object: readonly Level[] =
    kept.length === 0
      ? [{ keep: true, maxBytes: 8 * MiB }]
      : [{ keep: true, maxBytes: MiB }, ...kept.map((keep) => ({ keep, maxBytes: 4 * MiB }))];
  const within = (levels: readonly Level[], wrap: (keep: Keep) => Keep): readonly Level[] =>
    levels.map((level) => (level.keep === true ? level : { ...level, keep: wrap(level.keep) }));
  const withName = [...object, { keep: name, maxBytes: NAME_BYTES }];
  const toPage = (items: Keep): Keep => ({ metadata: { resourceVersion: true, continue: true }, items });
  return {
    object,
    event: within(withName, (kept) => ({ type: true, object: kept })),
    // In a page one object's size must not cost the others members, so only a page of one has the last levels.
    page: (limit) => within(limit === 1 ? withName : object.slice(0, 2), toPage),
  };
}
