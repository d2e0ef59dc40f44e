// SPDX-License-Identifier: Apache-2.0

import type { Labels } from "@rthooks/oci";
import * as v from "valibot";
import { type ResourceWatch, type WatchOptions, watchResource } from "./resource-watch.ts";

export interface KubeNode {
  readonly labels: Labels;
}

type NodeWatchOptions = Omit<
  WatchOptions<KubeNode>,
  "path" | "fieldSelector" | "parse" | "keep" | "isMetadataOnly" | "what"
> & {
  readonly nodeName: string;
};

const schema = v.object({
  metadata: v.object({ labels: v.nullish(v.record(v.string(), v.string())) }),
});

/** Watches one node by its name. */
export const watchNode = ({ nodeName, ...options }: NodeWatchOptions): ResourceWatch =>
  watchResource({
    ...options,
    path: "/api/v1/nodes",
    fieldSelector: `metadata.name=${nodeName}`,
    parse(object) {
      const parsed = v.safeParse(schema, object);
      return parsed.success
        ? { labels: new Map(Object.entries(parsed.output.metadata.labels ?? {})) }
        : undefined;
    },
    // The kubelet writes the status often, with a list of all images.
    isMetadataOnly: true,
    keep: [{ metadata: { name: true, uid: true, resourceVersion: true, labels: true } }],
    what: "node labels",
  });
