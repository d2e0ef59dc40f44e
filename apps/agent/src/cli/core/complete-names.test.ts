// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toDeniedRecord } from "../../containers/core/unrecorded-container.ts";
import { completeNames } from "./complete-names.ts";

const container = (podNamespace: string, podName: string, name: string) => ({
  ...toDeniedRecord("c1", ""),
  ...{ podNamespace, podName, name },
});

const containers = [
  container("shop", "web-0", "app"),
  container("shop", "web-0", "sidecar"),
  container("bank", "web-1", "app"),
  container("bank", "$(reboot)", "a b"),
  container("-o", "", "app"),
];

test.each([
  { kind: "namespace", prefix: "", names: ["bank", "shop"] },
  { kind: "namespace", prefix: "s", names: ["shop"] },
  { kind: "pod", prefix: "", names: ["web-0", "web-1"] },
  {
    kind: "container",
    prefix: "shop/",
    names: ["shop/web-0", "shop/web-0/app", "shop/web-0/sidecar"],
  },
  { kind: "state", prefix: "re", names: ["released"] },
  { kind: "constructor", prefix: "", names: [] },
])("$kind $prefix", ({ kind, prefix, names }) =>
  expect(completeNames(kind, prefix, containers)).toEqual(names),
);
