// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toDeniedRecord } from "../../containers/core/unrecorded-container.ts";
import { createChangeFilter } from "./change-filter.ts";

const container = { ...toDeniedRecord("c1", ""), podNamespace: "shop", podName: "web-0" };
const all = { namespaces: [], pods: [], states: [] };

test.each([
  { what: "without names everything", selection: all, selected: true },
  { what: "a namespace", selection: { ...all, namespaces: ["bank", "shop"] }, selected: true },
  { what: "another namespace", selection: { ...all, namespaces: ["bank"] }, selected: false },
  { what: "a pod", selection: { ...all, pods: ["web-0"] }, selected: true },
  { what: "part of a pod's name", selection: { ...all, pods: ["web"] }, selected: false },
  { what: "a state", selection: { ...all, states: ["gone"] }, selected: true },
  { what: "another state", selection: { ...all, states: ["failed"] }, selected: false },
  {
    what: "all of the lists",
    selection: { namespaces: ["shop"], pods: ["web-1"], states: ["gone"] },
    selected: false,
  },
])("$what: $selected", ({ selection, selected }) =>
  expect(createChangeFilter(selection)(container, "gone")).toBe(selected),
);
