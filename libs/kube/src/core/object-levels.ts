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
  /** For a page of up to `limit` objects. With a limit of 1 the last level keeps only the object's name. */
  page(limit: number): readonly Level[];
}

const MiB = 1024 * 1024;
const name: Keep = {
  apiVersion: true,
  kind: true,
  metadata: { name: true, namespace: true, uid: true, resourceVersion: true },
};
const NAME_BYTES = 64 * 1024;

/** `keep`: the members that are kept of an object larger than 1 MiB; undefined to keep objects of up to 8 MiB whole. */
export function createObjectLevels(keep: Keep | undefined): ObjectLevels {
  const object: readonly Level[] =
    keep === undefined
      ? [{ keep: true, maxBytes: 8 * MiB }]
      : [
          { keep: true, maxBytes: MiB },
          { keep, maxBytes: 4 * MiB },
        ];
  const within = (levels: readonly Level[], wrap: (keep: Keep) => Keep): readonly Level[] =>
    levels.map((level) => (level.keep === true ? level : { ...level, keep: wrap(level.keep) }));
  const withName = [...object, { keep: name, maxBytes: NAME_BYTES }];
  const toPage = (items: Keep): Keep => ({ metadata: { resourceVersion: true, continue: true }, items });
  return {
    object,
    event: within(withName, (kept) => ({ type: true, object: kept })),
    page: (limit) => within(limit === 1 ? withName : object, toPage),
  };
}
