// SPDX-License-Identifier: Apache-2.0
// How much of the API server's objects may be in memory. An object has at most 1.5 MiB in etcd, and up to six times that
// as JSON ("<" is written as \u003c); raised limits of etcd and the API server allow more.

import type { Level } from "./bounded-document.ts";
import type { Keep } from "./json-filter.ts";

export interface ObjectLevels {
  /** Of one object. */
  readonly object: readonly Level[];
  /** Of one line of a watch. The last level keeps the object's name only. */
  readonly event: readonly Level[];
  /** Of a page with up to `limit` objects; of one object the last level keeps the name only. */
  page(limit: number): readonly Level[];
}

const MiB = 1024 * 1024;
const name: Keep = {
  apiVersion: true,
  kind: true,
  metadata: { name: true, namespace: true, uid: true, resourceVersion: true },
};
const NAME_BYTES = 64 * 1024;

/** `keep`: what is enough of an object that is larger than 1 MiB; undefined: all of up to 8 MiB is needed. */
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
