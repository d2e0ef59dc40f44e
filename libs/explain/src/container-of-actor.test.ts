// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findContainerId } from "./container-of-actor.ts";

test.each([
  ["a container's actor", { report: { containerId: "c1" } }, "c1"],
  ["a hook invocation", { request: { containerId: "c2" }, containerId: "other" }, "c2"],
  ["a container that the plugin holds", { report: {}, containerId: "c3" }, "c3"],
  ["a pod", { identity: { uid: "u" } }, ""],
  ["an id that is not a text", { containerId: 7 }, ""],
  ["nothing", undefined, ""],
])("the container of %s", (_, context, id) => {
  expect(findContainerId(context)).toBe(id);
});
