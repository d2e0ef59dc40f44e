// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { checkFieldPath } from "./field-path.ts";

test.each([
  "process",
  "process.pod.name",
  "process.pod.container.image.id",
  "process.pod.pod_labels.app",
  "parent.exec_id",
  "status",
  "args",
  "policy_name",
  "process.start_time.seconds",
  "process.cap.effective",
  "ancestors",
])("%s is a field of events", (path) => expect(checkFieldPath(path)).toEqual({ ok: true, value: undefined }));

describe("an error", () => {
  test.each([
    {
      path: "nope.field",
      error: /^"nope\.field" is not .*: events have no "nope"; there are process, parent/,
    },
    { path: "process.pods.name", error: /process has no "pods"; did you mean pod\?$/ },
    { path: "process.pod.nmae", error: /process\.pod has no "nmae"; did you mean name\?$/ },
    { path: "process.binary.x", error: /process\.binary has no fields of its own$/ },
    { path: "process.", error: /process has no ""/ },
    { path: "toString", error: /events have no "toString"/ },
  ])("names the field and what is there: $path", ({ path, error }) => {
    const checked = checkFieldPath(path);
    expect(checked.ok ? "" : checked.error).toMatch(error);
    expect(checked.ok ? "" : checked.error).not.toContain("\n");
  });
});
